using System;

namespace Faultline.Verification.Races;

/// <summary>Something is not as it has to be in every interleaving.</summary>
/// <param name="message">What.</param>
internal sealed class RaceException(string message) : Exception(message);
