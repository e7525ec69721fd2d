using System;

namespace Faultline.Paging;

/// <summary>Everything the budget allows is leased or on its way in or out. It may pass, so leases try again until their deadline.</summary>
internal sealed class NoRoomException(string message, Exception? cause = null) : Exception(message, cause);
