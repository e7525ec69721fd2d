using System;
using System.Collections.Generic;
using Xunit.v3;

namespace Faultline.Conformance;

/// <summary>The section of the userfaultfd reference that a case (or a whole suite) holds the engine to; a trait to filter by.</summary>
[AttributeUsage(AttributeTargets.Method | AttributeTargets.Class, AllowMultiple = true)]
public sealed class SectionAttribute : Attribute, ITraitAttribute
{
    /// <summary>Names the section.</summary>
    public SectionAttribute(string number)
    {
        Number = number;
    }

    /// <summary>The section, for example <c>4.3</c>.</summary>
    public string Number { get; }

    /// <inheritdoc/>
    public IReadOnlyCollection<KeyValuePair<string, string>> GetTraits() => [new("Section", Number)];
}
