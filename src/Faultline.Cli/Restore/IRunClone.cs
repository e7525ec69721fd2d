using System;
using System.Threading.Tasks;
using Faultline.Cli.Processes;

namespace Faultline.Cli.Restore;

/// <summary>A clone of a run, wherever it lives. A task whose answer can no longer come completes with null.</summary>
internal interface IRunClone
{
    /// <summary>The process it lives in.</summary>
    int ProcessId { get; }

    /// <summary>How far it is, or null before it has begun.</summary>
    CloneProgress? Progress { get; }

    /// <summary>Its work is done, its memory stands.</summary>
    Task<CloneTimes?> Done { get; }

    /// <summary>What it holds, measured when all were done.</summary>
    Task<CloneMeasurement?> Measured { get; }

    /// <summary>How long nothing has been heard of it.</summary>
    TimeSpan Silence { get; }
}
