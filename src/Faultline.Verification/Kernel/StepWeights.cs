using System.Collections.Generic;

namespace Faultline.Verification.Kernel;

/// <summary>How often each verb is chosen, for each profile.</summary>
internal sealed class StepWeights
{
    private static readonly Dictionary<StepVerb, int> Usual = new()
    {
        [StepVerb.Map] = 3,
        [StepVerb.MapOver] = 3,
        [StepVerb.Unmap] = 3,
        [StepVerb.Protect] = 5,
        [StepVerb.Remap] = 4,
        [StepVerb.Advise] = 10,
        [StepVerb.Lock] = 1,
        [StepVerb.LockOnFault] = 1,
        [StepVerb.Unlock] = 1,
        [StepVerb.Open] = 2,
        [StepVerb.Close] = 1,
        [StepVerb.Register] = 7,
        [StepVerb.Unregister] = 3,
        [StepVerb.Wake] = 3,
        [StepVerb.Copy] = 10,
        [StepVerb.CopyFrom] = 3,
        [StepVerb.Zeropage] = 6,
        [StepVerb.Continue] = 8,
        [StepVerb.Poison] = 4,
        [StepVerb.Move] = 6,
        [StepVerb.WriteProtect] = 10,
        [StepVerb.ReadMessages] = 5,
        [StepVerb.Load] = 12,
        [StepVerb.Store] = 12,
        [StepVerb.KernelRead] = 3,
        [StepVerb.KernelWrite] = 3,
        [StepVerb.MakeFile] = 1,
        [StepVerb.Truncate] = 2,
        [StepVerb.Allocate] = 2,
        [StepVerb.Punch] = 3,
        [StepVerb.FileWrite] = 4,
        [StepVerb.FileRead] = 2,
        [StepVerb.Scan] = 4,
        [StepVerb.Interrupt] = 2,
    };

    private static readonly StepWeights[] All = Make();

    private readonly int[] _upTo;

    private StepWeights(ProgramProfile profile)
    {
        _upTo = new int[(int)StepVerb.Seal + 1];
        int sum = 0;
        for (int verb = 0; verb < _upTo.Length; verb++)
        {
            sum += Usual.GetValueOrDefault((StepVerb)verb) + Extra(profile, (StepVerb)verb);
            _upTo[verb] = sum;
        }
    }

    public static StepWeights For(ProgramProfile profile) => All[(int)profile];

    public StepVerb Choose(ref SplitMix random)
    {
        int at = random.Below(_upTo[^1]);
        int verb = 0;
        while (_upTo[verb] <= at)
        {
            verb++;
        }

        return (StepVerb)verb;
    }

    private static StepWeights[] Make()
    {
        var all = new StepWeights[(int)ProgramProfile.HugePages + 1];
        for (int i = 0; i < all.Length; i++)
        {
            all[i] = new StepWeights((ProgramProfile)i);
        }

        return all;
    }

    private static int Extra(ProgramProfile profile, StepVerb verb) => (profile, verb) switch
    {
        (ProgramProfile.Missing, StepVerb.Copy or StepVerb.Zeropage or StepVerb.Load or StepVerb.Store) => 15,
        (ProgramProfile.SharedFile or ProgramProfile.PrivateFile, StepVerb.Continue or StepVerb.FileWrite or StepVerb.Punch) => 12,
        (ProgramProfile.WriteProtect, StepVerb.WriteProtect or StepVerb.Store) => 30,
        (ProgramProfile.Events, StepVerb.Advise or StepVerb.Unmap or StepVerb.Remap or StepVerb.ReadMessages or StepVerb.MapOver) => 15,
        (ProgramProfile.Events, StepVerb.Fork) => 2,
        (ProgramProfile.Sleepers, StepVerb.Load or StepVerb.Store or StepVerb.KernelRead or StepVerb.Wake or StepVerb.ReadMessages or StepVerb.Copy) => 15,
        (ProgramProfile.Sleepers, StepVerb.Interrupt) => 15,
        (ProgramProfile.Files, StepVerb.Truncate or StepVerb.Allocate or StepVerb.Punch or StepVerb.FileWrite or StepVerb.FileRead) => 15,
        (ProgramProfile.Files or ProgramProfile.SharedFile or ProgramProfile.PrivateFile or ProgramProfile.Hugetlb, StepVerb.Seal) => 1,
        (ProgramProfile.BadArguments, StepVerb.Seal) => 3,
        (ProgramProfile.Move, StepVerb.Move) => 40,
        (ProgramProfile.Move, StepVerb.RaceMove) => 3,
        (ProgramProfile.Remap, StepVerb.Remap or StepVerb.Protect) => 25,
        (ProgramProfile.Swap, StepVerb.Advise) => 40,
        (ProgramProfile.Scan, StepVerb.Scan) => 40,
        (ProgramProfile.Fork, StepVerb.Fork or StepVerb.Exit) => 8,
        (ProgramProfile.Fork, StepVerb.Load or StepVerb.Store) => 15,
        (ProgramProfile.Hugetlb, StepVerb.Copy or StepVerb.Continue or StepVerb.Load or StepVerb.Store or StepVerb.Punch or StepVerb.Advise) => 6,
        (ProgramProfile.Hugetlb, StepVerb.Fork or StepVerb.Exit) => 2,
        (ProgramProfile.HugePages, StepVerb.Advise) => 25,
        (ProgramProfile.HugePages, StepVerb.Load or StepVerb.Store or StepVerb.WriteProtect or StepVerb.Protect) => 8,
        (ProgramProfile.Markers, StepVerb.Poison or StepVerb.Advise) => 20,
        (_, StepVerb.Exit) => 0,
        _ => 0,
    };
}
