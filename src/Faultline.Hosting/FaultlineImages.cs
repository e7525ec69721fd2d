using System;
using System.Collections.Concurrent;
using System.Collections.Generic;

namespace Faultline.Hosting;

/// <summary>The images of a host, by name. They are open from before the host's services start until after they have stopped.</summary>
public sealed class FaultlineImages
{
    private readonly ConcurrentDictionary<string, OpenImage> _images = new(StringComparer.Ordinal);

    internal FaultlineImages()
    {
    }

    /// <summary>The names of those that are open.</summary>
    public ICollection<string> Names => _images.Keys;

    internal UseCount Uses { get; } = new();

    internal IEnumerable<OpenImage> All => _images.Values;

    /// <summary>Uses an image. Dispose what is returned soon: the end of the host waits for it.</summary>
    /// <param name="name">Its name.</param>
    /// <exception cref="KeyNotFoundException">There is none of this name.</exception>
    /// <exception cref="ObjectDisposedException">The host stops.</exception>
    public ImageUse Use(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        if (!Uses.TryEnter())
        {
            throw new ObjectDisposedException(name, "The host stops, and its images are used no more.");
        }

        if (_images.TryGetValue(name, out OpenImage? image))
        {
            return new ImageUse(image.Memory, Uses);
        }

        Uses.Leave();
        throw new KeyNotFoundException($"No image '{name}' is open. There are: {string.Join(", ", Names)}.");
    }

    internal void Add(OpenImage image)
    {
        if (!_images.TryAdd(image.Name, image))
        {
            image.Dispose();
            throw new InvalidOperationException($"Two images are called '{image.Name}'; give one of them another name.");
        }
    }

    internal void Clear()
    {
        foreach (OpenImage image in _images.Values)
        {
            image.Dispose();
        }

        _images.Clear();
    }
}
