using System;
using System.Collections.Generic;
using System.Linq;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Faultline.Linux.Abi;

namespace Faultline.Linux.Tests.AbiProof;

/// <summary>
/// The rows of the proof. The types and constants of the Abi folder are found by reflection, so none can be forgotten; only what C spells
/// otherwise is listed here.
/// </summary>
internal static class AbiTable
{
    private const BindingFlags Fields = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static;

    // Ours to C's, where the two differ.
    private static readonly Dictionary<string, string> Spelling = new(StringComparer.Ordinal)
    {
        ["signal_h.SIGRTMAX"] = "(_NSIG - 1)",
        ["uffd_msg.event"] = "event",
        ["uffd_msg.pagefault_flags"] = "arg.pagefault.flags",
        ["uffd_msg.pagefault_address"] = "arg.pagefault.address",
        ["uffd_msg.pagefault_feat_ptid"] = "arg.pagefault.feat.ptid",
        ["uffd_msg.fork_ufd"] = "arg.fork.ufd",
        ["uffd_msg.remap_from"] = "arg.remap.from",
        ["uffd_msg.remap_to"] = "arg.remap.to",
        ["uffd_msg.remap_len"] = "arg.remap.len",
        ["uffd_msg.remove_start"] = "arg.remove.start",
        ["uffd_msg.remove_end"] = "arg.remove.end",
    };

    // Structures that came later than the macro that goes with them: a header without the macro is without the structure.
    private static readonly Dictionary<string, string> StructGuards = new(StringComparer.Ordinal)
    {
        [nameof(uffdio_move)] = "UFFDIO_MOVE",
        [nameof(uffdio_poison)] = "UFFDIO_POISON",
        [nameof(pm_scan_arg)] = "PAGEMAP_SCAN",
        [nameof(page_region)] = "PAGEMAP_SCAN",
    };

    // Constants of architectures other than the compiler's.
    private static readonly HashSet<string> OtherArchitecture = new(StringComparer.Ordinal) { nameof(fcntl_arm64) };

    /// <summary>Every type of the Abi folder.</summary>
    internal static Type[] Types { get; } =
        [.. typeof(uffd_msg).Assembly.GetTypes().Where(type => type.Namespace == "Faultline.Linux.Abi" && !type.IsNested)];

    /// <summary>The rows that the ordinary headers of this architecture can judge.</summary>
    internal static List<AbiRow> NativeRows() =>
    [
        .. Types.Where(type => type.Name != nameof(unistd_generic) && !OtherArchitecture.Contains(type.Name)).SelectMany(Rows),
        .. EnumTable.Rows(),
        .. ChildTable.Rows(),
    ];

    /// <summary>The rows that the generic system call table can judge.</summary>
    internal static List<AbiRow> GenericRows() =>
    [
        .. Rows(typeof(unistd_generic)).Concat(Rows(typeof(unistd_shared)))
            .Select(row => row with { Expression = row.Expression.Replace("SYS_", "__NR_", StringComparison.Ordinal) }),
    ];

    /// <summary>The rows that only the numbers written down can judge here.</summary>
    internal static List<AbiRow> OtherArchitectureRows() => [.. Types.Where(type => OtherArchitecture.Contains(type.Name)).SelectMany(Rows)];

    private static IEnumerable<AbiRow> Rows(Type type) => type.IsValueType ? StructRows(type) : ConstantRows(type);

    private static IEnumerable<AbiRow> ConstantRows(Type type)
    {
        foreach (FieldInfo field in type.GetFields(Fields))
        {
            string name = $"{type.Name}.{field.Name}";
            long value = AbiRow.BitsOf(field.GetRawConstantValue());
            yield return new(name, Spelling.GetValueOrDefault(name, field.Name), value);
        }
    }

    private static IEnumerable<AbiRow> StructRows(Type type)
    {
        string guard = StructGuards.GetValueOrDefault(type.Name, string.Empty);
        string c = $"struct {type.Name}";
        yield return new(type.Name, $"sizeof({c})", SizeOf(type), guard);
        foreach (FieldInfo field in type.GetFields(Fields))
        {
            string name = $"{type.Name}.{field.Name}";
            string member = Spelling.GetValueOrDefault(name, field.Name);
            yield return new($"{name} offset", $"__builtin_offsetof({c}, {member})", (long)Marshal.OffsetOf(type, field.Name), guard);
            yield return new($"{name} size", $"sizeof((({c}*)0)->{member})", SizeOf(field.FieldType), guard);
        }
    }

    private static int SizeOf(Type type)
    {
        if (type.IsPointer)
        {
            return IntPtr.Size;
        }

        MethodInfo sizeOf = typeof(Unsafe).GetMethod(nameof(Unsafe.SizeOf))!.MakeGenericMethod(type);
        return (int)sizeOf.Invoke(null, null)!;
    }
}
