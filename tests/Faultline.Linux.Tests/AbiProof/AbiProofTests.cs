using System;
using System.Collections.Generic;
using System.Linq;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.RegularExpressions;
using Faultline.Conformance;
using Xunit;

namespace Faultline.Linux.Tests.AbiProof;

/// <summary>
/// Every structure, offset, number and constant of the Abi folder, and every public enumeration with the kernel's values, becomes a static assertion that
/// the C compiler judges by the machine's own headers. What those are too old to know is compared with numbers written down apart.
/// </summary>
public sealed partial class AbiProofTests(ITestOutputHelper output)
{
    private const string NativeHeaders = """
        #define _GNU_SOURCE
        #include <errno.h>
        #include <fcntl.h>
        #include <poll.h>
        #include <sched.h>
        #include <signal.h>
        #include <stddef.h>
        #include <unistd.h>
        #include <sys/epoll.h>
        #include <sys/eventfd.h>
        #include <sys/ioctl.h>
        #include <sys/mman.h>
        #include <sys/prctl.h>
        #include <sys/resource.h>
        #include <sys/socket.h>
        #include <sys/stat.h>
        #include <sys/syscall.h>
        #include <sys/uio.h>
        #include <sys/un.h>
        #include <sys/vfs.h>
        #include <sys/wait.h>
        #include <linux/fs.h>
        #include <linux/futex.h>
        #include <linux/magic.h>
        #include <linux/memfd.h>
        #include <linux/mman.h>
        #include <linux/mount.h>
        #include <linux/userfaultfd.h>
        struct epoll_event_aligned { unsigned int events; unsigned long long data; };

        """;

    private const string GenericHeaders = "#include <asm-generic/unistd.h>\n";

    // Names that C has as enumerators without a macro: they cannot be tested for, so they are simply used.
    private static readonly HashSet<string> Enumerators = new(StringComparer.Ordinal) { "FSCONFIG_SET_STRING", "FSCONFIG_CMD_CREATE", "SCM_RIGHTS", "P_PIDFD", "SEGV_ACCERR", "SEGV_PKUERR", "BUS_MCEERR_AR", "BUS_MCEERR_AO" };

    [Fact]
    [Regression(13)]
    public void Compiler_OfThisMachine_AgreesWithEveryRow()
    {
        string compiler = RequireCompiler();
        Judge(compiler, NativeHeaders, AbiTable.NativeRows(), leastProved: 250);
        Judge(compiler, GenericHeaders, AbiTable.GenericRows(), leastProved: 15);
    }

    [Fact]
    public void WrittenNumbers_ForOtherArchitectures_AgreeWithEveryRow()
    {
        List<AbiRow> rows = AbiTable.OtherArchitectureRows();
        Assert.NotEmpty(rows);
        Assert.All(rows, row => Assert.Equal(ReferenceNumbers.All[row.Expression], row.Value));
    }

    [Fact]
    public void Compiler_GivenAWrongNumber_Complains()
    {
        string compiler = RequireCompiler();
        AbiRow wrong = new("canary", "UFFDIO_COPY", 0xc028aa04);
        Assert.Contains("canary", CCompiler.Complaints(compiler, NativeHeaders + Assertion(wrong)), StringComparison.Ordinal);
    }

    [Fact]
    public void Table_CoversEveryTypeOfTheFolder()
    {
        List<AbiRow> rows = [.. AbiTable.NativeRows(), .. AbiTable.GenericRows(), .. AbiTable.OtherArchitectureRows()];
        Assert.True(AbiTable.Types.Length >= 30, $"{AbiTable.Types.Length} types");
        Assert.All(
            AbiTable.Types,
            type => Assert.Contains(rows, row => row.Name == type.Name || row.Name.StartsWith(type.Name + ".", StringComparison.Ordinal)));
        Assert.DoesNotContain(rows, row => row.Expression.StartsWith("NO_ROW", StringComparison.Ordinal));
    }

    [Fact]
    public unsafe void PageRegion_HasTheLayoutOfTheKernelsRecord()
    {
        PageRegion region = new(new(new(1), 2), (PageCategories)3);
        ulong* words = (ulong*)&region;
        Assert.Equal(sizeof(Abi.page_region), sizeof(PageRegion));
        Assert.Equal([1UL, 2UL, 3UL], new ReadOnlySpan<ulong>(words, 3).ToArray());
        Assert.Equal(sizeof(ulong), sizeof(PagemapEntry));
    }

    private static string RequireCompiler()
    {
        Assert.SkipUnless(RuntimeInformation.ProcessArchitecture == Architecture.X64, "The proof is written for the headers of x86-64.");
        string? compiler = CCompiler.Find();
        Assert.SkipWhen(compiler is null, "No C compiler here: install gcc and the kernel headers to have the ABI proved.");
        return compiler!;
    }

    private static string Assertion(AbiRow row) =>
        $"_Static_assert((long long)({row.Expression}) == (long long){unchecked((ulong)row.Value)}ull, \"{row.Name}: {row.Expression} is not {row.Value}\");\n";

    [GeneratedRegex(@"\b[A-Z_][A-Za-z0-9_]{3,}\b", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex MacroName();

    private static bool IsKnown(AbiRow row, HashSet<string> macros) =>
        row.Guard is not null
            ? row.Guard.Length == 0 || macros.Contains(row.Guard)
            : MacroName().Matches(row.Expression).All(match => macros.Contains(match.Value) || Enumerators.Contains(match.Value));

    private void Judge(string compiler, string headers, List<AbiRow> rows, int leastProved)
    {
        HashSet<string> macros = CCompiler.Macros(compiler, headers);
        StringBuilder program = new(headers);
        int proved = 0;
        List<string> written = [];
        foreach (AbiRow row in rows)
        {
            if (IsKnown(row, macros))
            {
                _ = program.Append(Assertion(row));
                proved++;
            }
            else
            {
                Assert.True(ReferenceNumbers.All.TryGetValue(row.Expression, out long number), $"{row.Name}: the headers do not know {row.Expression}, and no number is written down for it.");
                Assert.True(number == row.Value, $"{row.Name} is {row.Value}, but {number} is written down.");
                written.Add(row.Expression);
            }
        }

        Assert.Equal(string.Empty, CCompiler.Complaints(compiler, program.ToString()));
        Assert.Equal(rows.Count, proved + written.Count);
        Assert.True(proved >= leastProved, $"only {proved} of {rows.Count} rows were proved by the compiler");
        output.WriteLine($"{proved} of {rows.Count} rows proved by {compiler}; {written.Count} compared with written numbers, because the headers lack them: {string.Join(", ", written)}");
    }
}
