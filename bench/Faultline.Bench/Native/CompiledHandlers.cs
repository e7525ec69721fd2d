using System;
using System.Collections.Generic;
using System.ComponentModel;
using System.Diagnostics;
using System.IO;
using System.Reflection;
using System.Threading;
using System.Threading.Tasks;

namespace Faultline.Bench;

/// <summary>The C sources under <c>bench/handlers</c>, compiled with -O2 into a directory of their own that goes when this is disposed.</summary>
internal sealed class CompiledHandlers : IDisposable
{
    /// <summary>What to do when there is no compiler.</summary>
    public const string Remedy = "Install a C compiler (Debian, Ubuntu: apt-get install gcc libc6-dev; Fedora: dnf install gcc) so that cc, gcc or clang is on the PATH.";

    private static readonly string[] Compilers = ["cc", "gcc", "clang"];
    private static readonly string[] Sources = ["handler.c", "toucher.c", "toucher.h", "mapper.c", "walker.c", "walker.h"];

    private readonly DirectoryInfo _directory;

    private CompiledHandlers(DirectoryInfo directory, string compiler)
    {
        _directory = directory;
        Compiler = compiler;
    }

    /// <summary>The compiler and its version, as it tells it.</summary>
    public string Compiler { get; }

    /// <summary>The C handler, a program.</summary>
    public string Handler => Path.Combine(_directory.FullName, "handler");

    /// <summary>The touching thread, a shared library.</summary>
    public string Toucher => Path.Combine(_directory.FullName, "libtoucher.so");

    /// <summary>The walking threads, a shared library.</summary>
    public string Walker => Path.Combine(_directory.FullName, "libwalker.so");

    /// <summary>The walks over plain mmap, a program.</summary>
    public string Mapper => Path.Combine(_directory.FullName, "mapper");

    /// <summary>Compiles the sources.</summary>
    /// <exception cref="BenchmarkException">There is no compiler, or it does not compile.</exception>
    public static async Task<CompiledHandlers> CompileAsync(CancellationToken cancellation)
    {
        DirectoryInfo directory = Directory.CreateTempSubdirectory("faultline-bench-");
        try
        {
            await ExtractAsync(directory.FullName, cancellation);
            string compiler = await FindCompilerAsync(directory.FullName, cancellation);
            string version = await RunAsync(compiler, ["--version"], directory.FullName, cancellation);
            await RunAsync(compiler, ["-O2", "-pthread", "-o", "handler", "handler.c", "toucher.c"], directory.FullName, cancellation);
            await RunAsync(compiler, ["-O2", "-pthread", "-shared", "-fPIC", "-o", "libtoucher.so", "toucher.c"], directory.FullName, cancellation);
            await RunAsync(compiler, ["-O2", "-pthread", "-o", "mapper", "mapper.c", "walker.c", "-lm"], directory.FullName, cancellation);
            await RunAsync(compiler, ["-O2", "-pthread", "-shared", "-fPIC", "-o", "libwalker.so", "walker.c", "-lm"], directory.FullName, cancellation);
            return new CompiledHandlers(directory, version.Split('\n')[0].Trim() + ", -O2");
        }
        catch
        {
            directory.Delete(recursive: true);
            throw;
        }
    }

    /// <summary>The same; where it can't be done, a row says why.</summary>
    public static async Task<CompiledHandlers?> TryCompileAsync(List<MissingRow> missing, CancellationToken cancellation)
    {
        try
        {
            return await CompileAsync(cancellation);
        }
        catch (BenchmarkException reason)
        {
            missing.Add(new MissingRow("C rows and all ratios to them", reason.Message));
            return null;
        }
    }

    /// <summary>Removes the directory.</summary>
    public void Dispose() => _directory.Delete(recursive: true);

    private static async Task ExtractAsync(string directory, CancellationToken cancellation)
    {
        foreach (string source in Sources)
        {
            await using Stream resource = Assembly.GetExecutingAssembly().GetManifestResourceStream(source)
                ?? throw new BenchmarkException($"The source {source} is not in the program.");
            await using FileStream file = File.Create(Path.Combine(directory, source));
            await resource.CopyToAsync(file, cancellation);
        }
    }

    private static async Task<string> FindCompilerAsync(string directory, CancellationToken cancellation)
    {
        foreach (string compiler in Compilers)
        {
            try
            {
                await RunAsync(compiler, ["--version"], directory, cancellation);
                return compiler;
            }
            catch (Exception missing) when (missing is Win32Exception or BenchmarkException)
            {
                continue;
            }
        }

        throw new BenchmarkException("No C compiler was found. " + Remedy);
    }

    private static async Task<string> RunAsync(string program, IEnumerable<string> arguments, string directory, CancellationToken cancellation)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            WorkingDirectory = directory,
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using Process process = Process.Start(start) ?? throw new BenchmarkException($"{program} did not start.");
        Task<string> errors = process.StandardError.ReadToEndAsync(cancellation);
        string output = await process.StandardOutput.ReadToEndAsync(cancellation);
        await process.WaitForExitAsync(cancellation);
        return process.ExitCode == 0 ? output : throw new BenchmarkException($"{program} failed: {(await errors).Trim()} {Remedy}");
    }
}
