using Xunit;

namespace Faultline.Mm.Tests;

/// <summary>Steps that checkers replace are not looked for in a process that did not ask for it: production, and these tests.</summary>
public sealed class FillStepsTests
{
    [Fact]
    public void Of_WithoutTheSwitch_AreNotAsked()
    {
        Assert.False(FillSteps.AreReplaceable);
        using var engine = new ManagedEngine(new ManagedEngineOptions { MemoryBytes = 32 << 20 });
        engine.System.Steps = new Wrong();
        using IAddressSpace space = engine.CreateAddressSpace().Value;
        var area = new AddressRange(space.Map(MapRequest.PrivateAnonymous(PageSize.Small)).Value, PageSize.Small);
        using IUserfaultfd context = UserfaultfdHandshake.Open(space, UserfaultfdFeatures.None).Value;
        Assert.True(context.Register(area, RegisterModes.Missing).IsOk);
        Assert.True(context.Copy(area.Start, new byte[PageSize.Small]).IsOk);
    }

    private sealed unsafe class Wrong : FillSteps
    {
        public override Errno Install(
            PteInstallRule rule, Vma vma, ulong address, PteTable table, Frame* frame, bool isNewlyAllocated, bool writeProtect) => Errno.EIO;
    }
}
