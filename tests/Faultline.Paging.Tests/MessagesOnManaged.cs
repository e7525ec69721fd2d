using Faultline.Mm;

namespace Faultline.Paging.Tests;

public sealed class MessagesOnManaged() : MessagesTests(new ManagedEngine());
