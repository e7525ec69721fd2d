using Faultline.Mm;

namespace Faultline.Paging.Tests;

public sealed class JoinOnManaged() : JoinTests(new ManagedEngine());
