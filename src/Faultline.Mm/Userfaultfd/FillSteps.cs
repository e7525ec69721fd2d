using System;
using System.Diagnostics.CodeAnalysis;
using Faultline.Sync;

namespace Faultline.Mm;

/// <summary>
/// The steps of a fill that a checker can put others in the place of, to see that its checks notice. What is here are the right ones; the wrong ones live
/// with the checkers.
/// </summary>
/// <remarks>
/// Off unless the process was started with the switch <see cref="SwitchName"/>, and then it costs nothing: <see cref="AreReplaceable"/> is a constant to
/// the just-in-time compiler, which drops the branches behind it.
/// </remarks>
internal abstract unsafe class FillSteps
{
    /// <summary>The <see cref="AppContext"/> switch that lets steps be replaced; read once.</summary>
    public const string SwitchName = "Faultline.Mm.ReplaceableSteps";

    /// <summary>Whether engines of this process look for replaced steps.</summary>
    [FeatureSwitchDefinition(SwitchName)]
    public static bool AreReplaceable { get; } = AppContext.TryGetSwitch(SwitchName, out bool on) && on;

    /// <summary>The replaced steps of an engine, or null.</summary>
    public static FillSteps? Of(MmSystem system) => AreReplaceable ? system.Steps : null;

    /// <summary>How CONTINUE finds its page. Parameters and answers are those of <see cref="ShmemFile.GetFolio"/>.</summary>
    public virtual Errno LookUp(ShmemFile file, ulong index, out Folio folio, out RankedLock.Scope held) =>
        file.GetFolio(index, ShmemLookup.NoAllocate, out folio, out held);

    /// <summary>How an entry is installed. Parameters and answers are those of <see cref="PteInstall.Apply"/>.</summary>
    public virtual Errno Install(
        PteInstallRule rule, Vma vma, ulong address, PteTable table, Frame* frame, bool isNewlyAllocated, bool writeProtect)
    {
        using RankedLock.Scope held = vma.Mm.System.TableLocks.Enter(table);
        return PteInstall.ApplyLocked(rule, vma, address, table, frame, isNewlyAllocated, writeProtect, in held);
    }

    /// <summary>Whether a fault that was queued goes to sleep.</summary>
    /// <param name="mustWait">What a look at the entry said, after it was queued.</param>
    public virtual bool Sleeps(bool mustWait) => mustWait;

    /// <summary>A page was kept for a second try, and its block cannot be charged again.</summary>
    public virtual void PutKept(FolioPool pool, Folio folio) => pool.Put(folio);

    /// <summary>A page was charged to the file, and could not be put there or be mapped.</summary>
    public virtual void GiveBackBlock(ShmemFile file) => file.UnchargeBlock();
}
