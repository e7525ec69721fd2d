// Maps a file that is larger than the memory it may take, and reads it as if it were all there.
//
//     dotnet run --project samples/LazyFile -- FILE [BUDGET_MIB] [linux|managed]
using System;
using System.Globalization;
using Faultline;
using Faultline.Linux;
using Faultline.Mm;
using Faultline.Paging;

string path = args.Length > 0 ? args[0] : Environment.ProcessPath!;
ulong budget = (args.Length > 1 ? ulong.Parse(args[1], CultureInfo.InvariantCulture) : 4) << 20;

using IMemoryEngine engine = args.Length > 2 && args[2] == "managed" ? new ManagedEngine() : new LinuxEngine();
using Pager pager = new(engine, new PagerOptions { BudgetBytes = budget });
using PagedMemory memory = pager.Map(new FilePageStore(path));
ulong sum = 0;
const int Step = 1 << 20;
for (ulong offset = 0; offset < memory.Length; offset += Step)
{
    using Lease lease = memory.Lease(offset, (int)Math.Min(Step, memory.Length - offset));
    foreach (byte value in lease.Bytes)
    {
        sum += value;
    }
}

PagerStatistics statistics = pager.GetStatistics();
Console.WriteLine($"{path}: {memory.Length} bytes, sum {sum}, on the engine '{engine.Name}'.");
Console.WriteLine($"In memory at the end: {statistics.ResidentBytes} of at most {budget} bytes.");
Console.WriteLine($"Evicted on the way: {statistics.PagesEvicted * (long)PageSize.Small} bytes.");
