using Xunit;

namespace Faultline.Verification.Tests.Kernel;

/// <summary>Tests during which nothing else runs: what they do keeps a processor busy in the kernel.</summary>
[CollectionDefinition(nameof(AloneCollection), DisableParallelization = true)]
public sealed class AloneCollection;
