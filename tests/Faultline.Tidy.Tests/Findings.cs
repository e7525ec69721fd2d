using System.Collections.Generic;
using Xunit;

namespace Faultline.Tidy.Tests;

/// <summary>What a check found: all of it is shown, one a line.</summary>
internal sealed class Findings
{
    private readonly List<string> _found = [];

    public void Add(string finding) => _found.Add(finding);

    public void AssertNone(string rule)
    {
        if (_found.Count > 0)
        {
            Assert.Fail($"{rule}\n  {string.Join("\n  ", _found)}");
        }
    }
}
