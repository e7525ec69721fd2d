using System;
using Faultline.Mm;
using Faultline.Sync.Scheduling;

namespace Faultline.Verification.Review;

/// <summary>The histories of two threads. Each is made afresh for each schedule.</summary>
internal static class ReviewPrograms
{
    private const ulong Length = 2 * PageSize.Small;
    private const string Truncating = "truncating";
    private const string Client = "client";
    private const string FileSize = "size of the file";
    private const string Sleep = "the client";

    /// <summary>COPY into a private mapping of a file (case 2), while the file is cut off before that page.</summary>
    public static ScheduledProgram CopyAndTruncate(FillSteps? steps, ReviewMarks marks)
    {
        ManagedEngine engine = ReviewEngine.Create(InstallRuleVersion.Linux618, steps);
        IAddressSpace space = engine.CreateAddressSpace().OrThrow("creating an address space");
        IMemoryFile file = CreateFile(engine);
        AddressRange area = new(space.Map(MapRequest.PrivateFile(file, Length)).OrThrow("mmap"), Length);
        IUserfaultfd context = Register(space, area, UserfaultfdFeatures.SigBus);
        AddressRange second = area.Slice(PageSize.Small, PageSize.Small);
        byte[] bytes = new byte[PageSize.Small];
        marks.Add(ReviewMarks.SettingUp, "a file of 2 pages, mapped and registered", FileSize, "2 pages");
        marks.Add(ReviewMarks.SettingUp, "page 1 is not there", ReviewMarks.Entry, "none");
        return new ScheduledProgram(
            [
                () =>
                {
                    marks.Add(ReviewMarks.Handler, "UFFDIO_COPY(area, page 1) begins");
                    FillResult answer = context.Copy(second.Start, bytes);
                    marks.Add(ReviewMarks.Handler, $"UFFDIO_COPY answers {(answer.IsOk ? "0" : answer.Errno)}");
                },
                () =>
                {
                    marks.Add(Truncating, "ftruncate(file, 1 page) begins");
                    _ = file.Truncate(PageSize.Small);
                    marks.Add(Truncating, "ftruncate returns: entries past the end are gone", FileSize, "1 page");
                },
            ],
            () =>
            {
                Span<PagemapEntry> entry = stackalloc PagemapEntry[1];
                _ = space.Inspector.ReadPagemap(second.Start, entry).OrThrow("reading the pagemap");
                if (entry[0].IsPresent)
                {
                    throw new ReviewDefectSeenException("an entry is left past the end of the file: page 1 can be read, and should be SIGBUS");
                }

                Finish(engine);
            });
    }

    /// <summary>A thread touches a fallocated page; the handler does what it is told to do, three times.</summary>
    public static ScheduledProgram TouchAndContinue(FillSteps? steps, ReviewMarks marks)
    {
        const int Patience = 3;
        ManagedEngine engine = ReviewEngine.Create(InstallRuleVersion.Linux618, steps);
        IAddressSpace space = engine.CreateAddressSpace().OrThrow("creating an address space");
        IMemoryFile file = CreateFile(engine);
        file.Allocate(0, PageSize.Small);
        AddressRange area = new(space.Map(MapRequest.SharedFile(file, Length)).OrThrow("mmap"), Length);
        IUserfaultfd context = Register(space, area, UserfaultfdFeatures.None);
        IMemoryAccess access = space.OpenAccess().OrThrow("opening an accessor");
        marks.Add(ReviewMarks.SettingUp, "a fallocated page, not up to date", ReviewMarks.Entry, "none");
        return new ScheduledProgram(
            [
                () =>
                {
                    marks.Add(Client, "load area[0]: a minor fault", Sleep, "asleep in the fault", isWrong: true);
                    _ = access.Load(area.Start, out _);
                    marks.Add(Client, "the load is done", Sleep, string.Empty);
                },
                () =>
                {
                    var messages = new UserfaultfdMessage[1];
                    _ = context.Read(messages);
                    marks.Add(ReviewMarks.Handler, "reads the message: a minor fault on page 0");
                    Errno answer = Errno.EFAULT;
                    for (int round = 0; round < Patience && answer != Errno.None; round++)
                    {
                        answer = context.Continue(area.Slice(0, PageSize.Small)).Errno;
                        marks.Add(ReviewMarks.Handler, $"UFFDIO_CONTINUE(area, page 0) answers {(answer == Errno.None ? "0" : answer)}");
                    }
                },
            ],
            () => Finish(engine));
    }

    private static IMemoryFile CreateFile(ManagedEngine engine)
    {
        var options = new MemoryFileOptions { Name = "review", Size = Length };
        return engine.CreateMemoryFile(in options).OrThrow("memfd_create");
    }

    private static IUserfaultfd Register(IAddressSpace space, AddressRange area, UserfaultfdFeatures more)
    {
        UserfaultfdFeatures features = more | UserfaultfdFeatures.MissingShmem | UserfaultfdFeatures.MinorShmem;
        IUserfaultfd context = UserfaultfdHandshake.Open(space, features, options: UserfaultfdOptions.CloseOnExec).OrThrow("userfaultfd");
        RegisterResult registered = context.Register(area, RegisterModes.Missing | RegisterModes.Minor);
        return registered.IsOk ? context : throw new MemoryEngineException("UFFDIO_REGISTER", area, registered.Errno);
    }

    private static void Finish(ManagedEngine engine)
    {
        if (engine.FindViolations() is [{ } violation, ..])
        {
            throw new ReviewDefectSeenException(violation);
        }

        engine.Dispose();
    }
}
