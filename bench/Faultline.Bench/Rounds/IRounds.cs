using System.Threading;
using System.Threading.Tasks;

namespace Faultline.Bench;

/// <summary>Something that runs rounds: the C program, or this process.</summary>
internal interface IRounds
{
    /// <summary>Runs one round on fresh memory.</summary>
    Task<RoundResult> RunAsync(RoundSpec spec, CancellationToken cancellation);
}
