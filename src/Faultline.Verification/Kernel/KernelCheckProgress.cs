using System;

namespace Faultline.Verification.Kernel;

/// <summary>How far a run is.</summary>
/// <param name="Operations">Steps done.</param>
/// <param name="Elapsed">Since the beginning.</param>
/// <param name="TuplesReached">Different tuples so far.</param>
/// <param name="Differences">Unexplained differences so far.</param>
public readonly record struct KernelCheckProgress(long Operations, TimeSpan Elapsed, int TuplesReached, int Differences);
