using System.Diagnostics;

namespace Faultline.Paging;

/// <summary>A load that was given up, to be told of when no lock is held; the load itself belongs to its reader again.</summary>
internal readonly record struct AbandonedLoad(string Image, ulong Offset, ulong Length, Activity? Activity);
