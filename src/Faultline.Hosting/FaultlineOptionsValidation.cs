using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using Faultline.Paging;
using Faultline.Stores;
using Microsoft.Extensions.Options;

namespace Faultline.Hosting;

/// <summary>Says everything that is wrong with the options, before the host starts.</summary>
internal sealed class FaultlineOptionsValidation(IEnumerable<EvictionPolicySource> policies) : IValidateOptions<FaultlineOptions>
{
    public ValidateOptionsResult Validate(string? name, FaultlineOptions options)
    {
        List<string> wrong = [];
        try
        {
            options.ToPagerOptions().Validate();
        }
        catch (ArgumentException e)
        {
            // The exception's end names a parameter that nobody here has given, and the option has a longer name here.
            string what = e.Message.Replace(" (Parameter 'options')", "", StringComparison.Ordinal);
            wrong.Add($"{FaultlineOptions.Section}: {what.Replace("HeadroomBytes", nameof(options.BudgetHeadroomBytes), StringComparison.Ordinal)}");
        }

        RequireTime(wrong, nameof(options.StopDeadline), options.StopDeadline);
        RequireTime(wrong, nameof(options.HealthDeadline), options.HealthDeadline);
        if (!Enum.IsDefined(options.Engine))
        {
            wrong.Add($"{FaultlineOptions.Section}:{nameof(options.Engine)} must be Linux or Managed.");
        }

        if (options.ManagedMemoryBytes < 1 << 20)
        {
            wrong.Add($"{FaultlineOptions.Section}:{nameof(options.ManagedMemoryBytes)} is {options.ManagedMemoryBytes}; it must be at least 1 MiB.");
        }

        CheckEviction(wrong, options);
        if (!Enum.IsDefined(options.Tracking))
        {
            wrong.Add($"{FaultlineOptions.Section}:{nameof(options.Tracking)} must be Synchronous or Asynchronous.");
        }

        foreach ((string image, HostedImageOptions its) in options.Images)
        {
            CheckImage(wrong, $"{FaultlineOptions.Section}:{nameof(options.Images)}:{image}", its, options);
        }

        return wrong.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(wrong);
    }

    private static void CheckImage(List<string> wrong, string section, HostedImageOptions? image, FaultlineOptions options)
    {
        if (image is null || string.IsNullOrWhiteSpace(image.Address))
        {
            wrong.Add($"{section}:{nameof(HostedImageOptions.Address)} is missing: name a file or a web address.");
            return;
        }

        if (image.WriteBack && StoreAddresses.IsRemote(image.Address))
        {
            wrong.Add($"{section}:{nameof(image.WriteBack)} is set for {image.Address}; only a file can be written back.");
        }

        if (image.WriteBack && options.Tracking == DirtyTracking.Asynchronous)
        {
            wrong.Add($"{section}:{nameof(image.WriteBack)} needs {FaultlineOptions.Section}:{nameof(options.Tracking)} to be Synchronous: otherwise nobody tells of writes.");
        }

        if (image.Record is { } record && (Directory.Exists(record) || !Directory.Exists(Path.GetDirectoryName(Path.GetFullPath(record)))))
        {
            wrong.Add($"{section}:{nameof(image.Record)} is '{record}'; it must name a file in a folder that exists.");
        }
    }

    private void CheckEviction(List<string> wrong, FaultlineOptions options)
    {
        if (options.BudgetHeadroomBytes is not null && options.BudgetBytes is null)
        {
            wrong.Add($"{FaultlineOptions.Section}:{nameof(options.BudgetHeadroomBytes)} is set without {nameof(options.BudgetBytes)}, of which it is a part.");
        }

        string[] names = [FaultlineOptions.Clock, .. policies.Select(static policy => policy.Name)];
        if (!names.Contains(options.EvictionPolicy, StringComparer.OrdinalIgnoreCase))
        {
            wrong.Add($"{FaultlineOptions.Section}:{nameof(options.EvictionPolicy)} is '{options.EvictionPolicy}'; there are: {string.Join(", ", names)}.");
        }
    }

    private static void RequireTime(List<string> wrong, string option, TimeSpan time)
    {
        if (time <= TimeSpan.Zero || time > TimeSpan.FromHours(1))
        {
            wrong.Add($"{FaultlineOptions.Section}:{option} is {time}; it must be more than nothing, and at most an hour.");
        }
    }
}
