using System;
using System.Diagnostics;
using System.Globalization;
using System.Linq;
using System.Threading;
using Xunit;

namespace Faultline.Conformance;

/// <summary>
/// Two areas that change places, again and again: one is the source of copies, the other is registered and filled from it, by fault readers and by a copier
/// in the background, while threads lock pages by a word in them and count in another. After each bounce the source is dropped and the counts are compared.
/// </summary>
/// <remarks>Set FAULTLINE_SCHEME_SECONDS for longer runs.</remarks>
[Section("12.2")]
public abstract class StressConformance(EngineHost host) : ConformanceSuite(host)
{
    [Theory]
    [MemberData(nameof(MemoryKinds.All), MemberType = typeof(MemoryKinds))]
    public void Bounce_ManyThreads_EveryCountAndEveryByteIsRight(MemoryKind kind)
    {
        string? wanted = Environment.GetEnvironmentVariable("FAULTLINE_SCHEME_SECONDS");
        var duration = TimeSpan.FromSeconds(wanted is null ? 1.5 : double.Parse(wanted, CultureInfo.InvariantCulture));
        var scheme = new Scheme(Bed, kind);
        long start = Stopwatch.GetTimestamp();
        int bounce = 0;
        while (bounce < 4 || Stopwatch.GetElapsedTime(start) < duration)
        {
            // From the richest kind of bounce downwards, as bits are given.
            scheme.Bounce(~bounce & 15, seed: bounce);
            bounce++;
        }

        TestContext.Current.SendDiagnosticMessage($"{kind}: {bounce} bounces, {scheme.Locked} locks taken, {scheme.Resolved} faults resolved.");
        Assert.True(scheme.Locked > 0 && scheme.Resolved > 0);
    }

    /// <summary>What the bits of a bounce choose.</summary>
    [Flags]
    private enum BounceKind
    {
        None = 0,
        Random = 1,
        RacingFaults = 2,
        Verify = 4,
        Poll = 8,
    }

    private sealed class Scheme
    {
        private const int Threads = 2;
        private const ulong LockOffset = 0;
        private const ulong CountOffset = 8;
        private const ulong PatternOffset = 64;

        private readonly Testbed _bed;
        private readonly MemoryKind _kind;
        private readonly long[] _shadow;
        private readonly IMemoryAccess[] _accessors;
        private MappedArea _source;
        private MappedArea _target;
        private long _locked;
        private long _resolved;
        private volatile bool _isOver;

        public Scheme(Testbed bed, MemoryKind kind)
        {
            _bed = bed;
            _kind = kind;
            int pages = kind.IsHugetlb() ? 4 : 96;
            _source = bed.Map(kind, pages);
            _target = bed.Map(kind, pages);
            _shadow = new long[pages];
            _accessors = [.. Enumerable.Range(0, Threads).Select(_ => bed.TakeAccessor())];

            // Filled by COPY, not by stores: those would put pages of zeroes into the file behind a private mapping, to be found there later.
            using FaultMonitor monitor = bed.Watch(_source, RegisterModes.Missing);
            for (int page = 0; page < pages; page++)
            {
                byte[] bytes = Pattern.Bytes(_source.PageBytes, (ulong)page);
                bytes.AsSpan(0, (int)PatternOffset).Clear();
                Expect.Filled(monitor.Uffd.Copy(_source.At(page), bytes), _source.PageBytes);
            }
        }

        public long Locked => Volatile.Read(ref _locked);

        public long Resolved => Volatile.Read(ref _resolved);

        public void Bounce(int bits, int seed)
        {
            var kind = (BounceKind)bits;
            _isOver = false;
            bool isPolled = kind.HasFlag(BounceKind.Poll);
            const UserfaultfdOptions Closing = UserfaultfdOptions.CloseOnExec;
            IUserfaultfd uffd = _bed.OpenContext(isPolled ? Closing | UserfaultfdOptions.NonBlocking : Closing);
            Expect.Ok(uffd.Handshake(UserfaultfdFeatures.None));
            Assert.Equal(Errno.None, uffd.Register(_target.Range, RegisterModes.Missing | RegisterModes.WriteProtect).Errno);

            PendingWork<bool>[] readers = [.. Enumerable.Range(0, Threads).Select(_ => Testbed.StartCall("fault reader", () => ReadFaults(uffd, isPolled)))];
            PendingWork<bool>[] lockers = [.. _accessors.Select((accessor, number) =>
                Testbed.StartCall("locking thread", () => LockPages(accessor, new Random((seed * Threads) + number), kind, number)))];
            PendingWork<bool>[] copiers = [.. Enumerable.Range(0, Threads).Select(number => Testbed.StartCall("copier", () => CopyAll(uffd, number)))];
            Assert.All(copiers, copier => Assert.True(copier.Await()));
            Expect.Ok(uffd.WriteProtect(_target.Pages(0, _target.PageTotal / 2), WriteProtectModes.Protect));
            Spin(kind.HasFlag(BounceKind.Random) ? 2000 : 20_000);
            _isOver = true;
            Assert.All(lockers, locker => Assert.True(locker.Await()));
            Expect.Ok(uffd.Unregister(_target.Range));
            uffd.Dispose();
            Assert.All(readers, reader => Assert.True(reader.Await()));
            Check(kind.HasFlag(BounceKind.Verify));
            Expect.Ok(_bed.Space.Advise(_source.Range, _kind.IsShared() ? Advice.Remove : Advice.DontNeed));
            (_source, _target) = (_target, _source);
        }

        private static void Spin(int turns) => Thread.SpinWait(turns);

        /// <summary>Locks a page by its first word, compares its count with the shadow, and counts on in both.</summary>
        private bool LockPages(IMemoryAccess accessor, Random random, BounceKind kind, int number)
        {
            bool isRacing = kind.HasFlag(BounceKind.RacingFaults);
            int share = isRacing ? _shadow.Length : _shadow.Length / Threads;
            int first = isRacing ? 0 : number * share;
            for (int step = 0; !_isOver; step++)
            {
                int page = first + (kind.HasFlag(BounceKind.Random) ? random.Next(share) : step % share);

                // The first touch is a load: a protected page is then there before it is written.
                Assert.True(accessor.Load(_target.At(page, CountOffset), out _).IsOk);
                ulong observed;
                do
                {
                    Assert.True(accessor.CompareExchange(_target.At(page, LockOffset), 1, 0, out observed).IsOk);
                }
                while (observed != 0);

                Assert.True(accessor.Load(_target.At(page, CountOffset), out ulong count).IsOk);
                Assert.Equal(Volatile.Read(ref _shadow[page]), (long)count);
                Volatile.Write(ref _shadow[page], (long)count + 1);
                Assert.True(accessor.Store(_target.At(page, CountOffset), count + 1).IsOk);
                Assert.True(accessor.Store(_target.At(page, LockOffset), 0).IsOk);
                Interlocked.Increment(ref _locked);
            }

            return true;
        }

        /// <summary>The copier in the background: its share of the pages, each once more at once, which finds it there.</summary>
        private bool CopyAll(IUserfaultfd uffd, int number)
        {
            for (int page = number; page < _shadow.Length; page += Threads)
            {
                CopyOne(uffd, page);
                Expect.Fails(uffd.Copy(_target.Page(page), _source.At(page)), Errno.EEXIST);
            }

            return true;
        }

        private void CopyOne(IUserfaultfd uffd, int page)
        {
            FillResult result;
            do
            {
                result = uffd.Copy(_target.Page(page), _source.At(page));
            }
            while (result.IsChanging);

            Errno errno = result.Errno == Errno.EEXIST ? uffd.Wake(_target.Page(page)).Errno : result.Errno;
            if (_isOver && (errno is Errno.ENOENT or Errno.EBADF))
            {
                // A reader that comes late with a fault that the copier has resolved: the bounce is over, and the range no longer registered.
                return;
            }

            if (result.Errno == Errno.EEXIST)
            {
                Assert.Equal(Errno.None, errno);
                return;
            }

            Expect.Filled(result, _target.PageBytes);
        }

        private bool ReadFaults(IUserfaultfd uffd, bool isPolled)
        {
            using IUserfaultfdPoller poller = _bed.Engine.CreatePoller();
            if (isPolled)
            {
                SystemResult added = poller.Add(uffd, tag: 1);
                if (_isOver && added.Errno == Errno.EBADF)
                {
                    return true;
                }

                Expect.Ok(added);
            }

            var messages = new UserfaultfdMessage[4];
            long[] ready = new long[1];
            while (true)
            {
                if (isPolled)
                {
                    _ = poller.Wait(ready, timeoutMs: 5);
                }

                SystemResult<int> read = uffd.Read(messages);
                if (read.Errno is Errno.ECANCELED or Errno.EBADF)
                {
                    return true;
                }

                for (int index = 0; index < (read.IsOk ? read.Value : 0); index++)
                {
                    Resolve(uffd, messages[index]);
                }
            }
        }

        private void Resolve(IUserfaultfd uffd, in UserfaultfdMessage message)
        {
            Assert.Equal(UserfaultfdEvent.PageFault, message.Event);
            int page = (int)((message.Address - _target.Range.Start) / _target.PageBytes);
            if (message.Kind == PageFaultKind.WriteProtect)
            {
                // ENOENT: the bounce is over, and the range no longer registered.
                Assert.Contains(uffd.WriteProtect(_target.Page(page), WriteProtectModes.None).Errno, (Errno[])[Errno.None, Errno.ENOENT, Errno.EBADF]);
            }
            else
            {
                Assert.Equal(PageFaultKind.Missing, message.Kind);
                CopyOne(uffd, page);
            }

            Interlocked.Increment(ref _resolved);
        }

        private void Check(bool withContents)
        {
            for (int page = 0; page < _shadow.Length; page++)
            {
                Assert.Equal((0UL, (ulong)_shadow[page]), (_bed.Load(_target.At(page, LockOffset)), _bed.Load(_target.At(page, CountOffset))));
                if (withContents)
                {
                    byte[] bytes = _bed.ReadBytes(_target.At(page), _target.PageBytes);
                    Assert.Equal(Pattern.Bytes(_target.PageBytes, (ulong)page).AsSpan((int)PatternOffset), bytes.AsSpan((int)PatternOffset));
                }
            }
        }
    }
}
