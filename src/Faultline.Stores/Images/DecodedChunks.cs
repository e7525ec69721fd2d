using System;
using System.Collections.Generic;
using System.Threading;

namespace Faultline.Stores;

/// <summary>A few chunks as they were unpacked last, for reads that want only a part of a chunk and will soon want the next.</summary>
internal sealed class DecodedChunks(int capacityBytes)
{
    private readonly Lock _lock = new();

    /// <summary>The chunks, most lately used last. Guard: the lock.</summary>
    private readonly List<(long Chunk, byte[] Bytes)> _chunks = [];

    /// <summary>The bytes in the list. Guard: the lock.</summary>
    private long _bytes;

    public bool TryCopy(long chunk, int offset, Span<byte> target)
    {
        byte[]? found = null;
        lock (_lock)
        {
            int index = _chunks.FindIndex(entry => entry.Chunk == chunk);
            if (index >= 0)
            {
                (long, byte[]) entry = _chunks[index];
                _chunks.RemoveAt(index);
                _chunks.Add(entry);
                found = entry.Item2;
            }
        }

        found?.AsSpan(offset, target.Length).CopyTo(target);
        return found is not null;
    }

    public void Keep(long chunk, byte[] bytes)
    {
        lock (_lock)
        {
            if (_chunks.Exists(entry => entry.Chunk == chunk))
            {
                return;
            }

            _chunks.Add((chunk, bytes));
            _bytes += bytes.Length;
            while (_bytes > capacityBytes && _chunks.Count > 1)
            {
                _bytes -= _chunks[0].Bytes.Length;
                _chunks.RemoveAt(0);
            }
        }
    }
}
