using Xunit;

namespace Faultline.Mm.Tests;

/// <summary>The table of the five cases, for both rules.</summary>
public sealed class PteInstallRuleTests
{
    private const ulong SharedRights = Pte.Present | Pte.User | Pte.Accessed | Pte.NoExecute;

    public static TheoryData<int, bool, bool> Cases
    {
        get
        {
            var data = new TheoryData<int, bool, bool>();
            for (int number = 1; number <= 5; number++)
            {
                data.Add(number, true, false);
                data.Add(number, true, true);
                data.Add(number, false, false);
                data.Add(number, false, true);
            }

            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Linux618_EachCase_DecidesAsTabulated(int number, bool mayWrite, bool writeProtect)
    {
        PteInstallDecision decision = PteInstallRule.Linux618.Decide(CaseOf(number, mayWrite, writeProtect));
        var entry = new Pte(decision.EntryFlags);
        Assert.True(entry.IsDirty);
        Assert.Equal(mayWrite && !writeProtect && number != 3, entry.IsWritable);
        Assert.Equal(writeProtect, entry.IsWriteProtected);
        CheckKind(number, decision);
        Assert.False(decision.MarkFolioDirty);
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Review2021_EachCase_DecidesAsMergedThen(int number, bool mayWrite, bool writeProtect)
    {
        PteInstallDecision decision = PteInstallRule.Review2021.Decide(CaseOf(number, mayWrite, writeProtect));
        var entry = new Pte(decision.EntryFlags);
        bool writable = mayWrite && number != 3;
        Assert.Equal(writable || number is 1 or 2, entry.IsDirty);
        Assert.Equal(writable && !writeProtect, entry.IsWritable);
        Assert.Equal(writable && writeProtect, entry.IsWriteProtected);
        CheckKind(number, decision);
        Assert.Equal(number == 5, decision.MarkFolioDirty);
    }

    private static void CheckKind(int number, PteInstallDecision decision)
    {
        Assert.Equal(number <= 2, decision.AsAnonymous);
        Assert.Equal(number <= 2 ? CounterKind.Anonymous : CounterKind.Shmem, decision.Counter);
        Assert.Equal(number is 1 or 2 or 5, decision.AddToLru);
    }

    private static PteInstallCase CaseOf(int number, bool mayWrite, bool writeProtect)
    {
        VmaFlags flags = VmaFlags.Read | (mayWrite ? VmaFlags.Write : 0) | (number >= 4 ? VmaFlags.Shared : 0);
        ulong rights = mayWrite && number >= 4 ? SharedRights | Pte.Writable : SharedRights;
        return new PteInstallCase(flags, rights, IsInCache: number >= 3, IsNewlyAllocated: number is 1 or 2 or 5, writeProtect);
    }
}
