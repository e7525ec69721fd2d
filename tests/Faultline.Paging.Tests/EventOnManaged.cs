using Faultline.Mm;

namespace Faultline.Paging.Tests;

public sealed class EventOnManaged() : EventTests(new ManagedEngine());
