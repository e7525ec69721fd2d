using System;
using System.Linq;

namespace Faultline.Tidy.Tests;

/// <summary>Types as C# writes them.</summary>
internal static class TypeNames
{
    /// <summary>As in use: short, with type arguments.</summary>
    public static string Of(Type type)
    {
        if (type.IsArray)
        {
            return $"{Of(type.GetElementType()!)}[]";
        }

        if (type.IsPointer)
        {
            return $"{Of(type.GetElementType()!)}*";
        }

        if (type.IsByRef)
        {
            return $"ref {Of(type.GetElementType()!)}";
        }

        if (Nullable.GetUnderlyingType(type) is { } underlying)
        {
            return $"{Of(underlying)}?";
        }

        string name = Keyword(type) ?? WithoutArity(type.Name);
        string outer = type is { IsNested: true, IsGenericParameter: false } ? $"{WithoutArity(type.DeclaringType!.Name)}." : string.Empty;
        return outer + name + Arguments(type);
    }

    /// <summary>As declared: with the namespace.</summary>
    public static string Full(Type type)
    {
        string outer = type.IsNested ? Full(type.DeclaringType!) : type.Namespace ?? string.Empty;
        return $"{outer}.{WithoutArity(type.Name)}{Arguments(type)}";
    }

    private static string Arguments(Type type) =>
        type.IsGenericType ? $"<{string.Join(", ", type.GetGenericArguments().Select(Of))}>" : string.Empty;

    private static string WithoutArity(string name) => name.Split('`')[0];

    private static string? Keyword(Type type) => type.IsEnum ? null : Type.GetTypeCode(type) switch
    {
        TypeCode.Boolean => "bool",
        TypeCode.Byte => "byte",
        TypeCode.SByte => "sbyte",
        TypeCode.Char => "char",
        TypeCode.Int16 => "short",
        TypeCode.UInt16 => "ushort",
        TypeCode.Int32 => "int",
        TypeCode.UInt32 => "uint",
        TypeCode.Int64 => "long",
        TypeCode.UInt64 => "ulong",
        TypeCode.Single => "float",
        TypeCode.Double => "double",
        TypeCode.Decimal => "decimal",
        TypeCode.String => "string",
        _ when type == typeof(void) => "void",
        _ when type == typeof(object) => "object",
        _ when type == typeof(nint) => "nint",
        _ when type == typeof(nuint) => "nuint",
        _ => null,
    };
}
