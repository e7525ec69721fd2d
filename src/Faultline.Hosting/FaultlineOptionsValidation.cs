using System;
using System.Collections.Generic;
using Microsoft.Extensions.Options;

namespace Faultline.Hosting;

/// <summary>Says everything that is wrong with the options, before the host starts.</summary>
internal sealed class FaultlineOptionsValidation : IValidateOptions<FaultlineOptions>
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
            // The exception's own second line names a parameter that nobody here has given.
            wrong.Add($"{FaultlineOptions.Section}: {e.Message.Split('\n', '(')[0].Trim()}");
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

        foreach ((string image, HostedImageOptions its) in options.Images)
        {
            if (string.IsNullOrWhiteSpace(its?.Address))
            {
                wrong.Add($"{FaultlineOptions.Section}:{nameof(options.Images)}:{image}:{nameof(HostedImageOptions.Address)} is missing: name a file or a web address.");
            }
        }

        return wrong.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(wrong);
    }

    private static void RequireTime(List<string> wrong, string option, TimeSpan time)
    {
        if (time <= TimeSpan.Zero || time > TimeSpan.FromHours(1))
        {
            wrong.Add($"{FaultlineOptions.Section}:{option} is {time}; it must be more than nothing, and at most an hour.");
        }
    }
}
