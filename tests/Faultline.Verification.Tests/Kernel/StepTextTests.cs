using System;
using Faultline.Verification.Kernel;
using Xunit;

namespace Faultline.Verification.Tests.Kernel;

public sealed class StepTextTests
{
    [Theory]
    [InlineData("map page=3 pages=4 mode=PrivateFile value=3")]
    [InlineData("map pages=1 mode=Anonymous")]
    [InlineData("copy actor=2 context=1 page=12 pages=3 mode=DontWake|WriteProtect value=7")]
    [InlineData("load page=12 pages=1 skew=-8")]
    [InlineData("open mode=EventFork|EventRemove")]
    [InlineData("open mode=ThreadId value=UserModeOnly")]
    [InlineData("interrupt actor=2")]
    [InlineData("seal file=1 mode=Shrink|Grow")]
    [InlineData("remap page=1 pages=2 other=9 mode=MayMove|Fixed value=2")]
    public void Parse_WhatWriteWrote_IsTheSameStep(string line)
    {
        Step step = StepText.Parse(line);

        Assert.Equal(line, step.ToString());
        Assert.Equal(step, StepText.Parse(step.ToString()));
    }

    [Theory]
    [InlineData("jump page=1")]
    [InlineData("load page")]
    [InlineData("load pages=1 colour=3")]
    public void Parse_NotAStep_SaysWhy(string line) =>
        Assert.Throws<FormatException>(() => StepText.Parse(line));

    [Fact]
    public void Parse_Script_LeavesOutCommentsAndEmptyLines()
    {
        var program = KernelProgram.Parse("# why\n\nopen\nload page=1 # here\n");

        Assert.Equal(2, program.Steps.Count);
        Assert.Equal(program.Steps, KernelProgram.Parse(program.Write()).Steps);
    }
}
