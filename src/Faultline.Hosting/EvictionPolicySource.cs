using System;
using Faultline.Paging;

namespace Faultline.Hosting;

/// <summary>An eviction policy that the configuration may name.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Create">Makes the policy of one image.</param>
internal sealed record EvictionPolicySource(string Name, Func<IEvictionPolicy> Create);
