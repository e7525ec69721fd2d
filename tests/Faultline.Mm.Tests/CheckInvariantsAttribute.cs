using System;
using System.Reflection;
using Xunit.v3;

namespace Faultline.Mm.Tests;

/// <summary>Checks the shared engine as a whole after every case.</summary>
[AttributeUsage(AttributeTargets.Assembly)]
public sealed class CheckInvariantsAttribute : BeforeAfterTestAttribute
{
    public override void After(MethodInfo methodUnderTest, IXunitTest test) => ManagedEngineHost.Current?.Check();
}
