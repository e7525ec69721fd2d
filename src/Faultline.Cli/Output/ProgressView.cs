using System;
using System.Globalization;
using System.Threading.Tasks;
using Faultline.Stores;
using Spectre.Console;

namespace Faultline.Cli.Output;

/// <summary>Shows how far a long work is: a bar on a terminal, one line before it elsewhere, nothing with <c>--json</c>.</summary>
internal sealed class ProgressView(IAnsiConsole? console)
{
    public async Task<T> ShowAsync<T>(string title, Func<IProgress<ImageProgress>?, Task<T>> work)
    {
        if (console is not { Profile.Capabilities: { Interactive: true, Ansi: true } })
        {
            console?.MarkupLineInterpolated(CultureInfo.InvariantCulture, $"[grey]{title}[/]");
            return await work(null).ConfigureAwait(false);
        }

        ProgressColumn[] columns =
            [new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new DownloadedColumn(), new TransferSpeedColumn()];
        return await console.Progress().AutoClear(true).Columns(columns).StartAsync(async context =>
        {
            ProgressTask task = context.AddTask(Markup.Escape(title), autoStart: true, maxValue: 1);
            return await work(new Bar(task)).ConfigureAwait(false);
        }).ConfigureAwait(false);
    }

    /// <summary>Sets the bar on the thread that reports, so that it never runs behind.</summary>
    private sealed class Bar(ProgressTask task) : IProgress<ImageProgress>
    {
        public void Report(ImageProgress value)
        {
            task.MaxValue = value.Total;
            task.Value = value.Done;
        }
    }
}
