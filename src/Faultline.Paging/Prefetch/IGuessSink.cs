namespace Faultline.Paging;

/// <summary>Where a policy puts its guesses.</summary>
internal interface IGuessSink
{
    /// <summary>Queues pages to be brought when there is nothing better to do.</summary>
    /// <param name="first">The first page.</param>
    /// <param name="end">The end.</param>
    /// <returns>False if too many wait already.</returns>
    bool TryGuess(int first, int end);
}
