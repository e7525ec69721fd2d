using System;

namespace Faultline.Paging;

/// <summary>Stop 9: makes pages appear in a client, or errors in their place. The client's lock is held, for reading at least.</summary>
internal static class PageInstall
{
    /// <summary>Installs a run of pages by one verb, as far as it goes.</summary>
    /// <param name="verb">The verb.</param>
    /// <param name="client">The client.</param>
    /// <param name="region">The region.</param>
    /// <param name="page">The first page, of the region's pages.</param>
    /// <param name="count">How many.</param>
    /// <param name="source">The contents, for COPY.</param>
    /// <param name="worker">Takes note of wakes owed.</param>
    public static InstallEnd Run(
        InstallVerb verb, PagerClient client, Region region, int page, int count, ReadOnlySpan<byte> source, FaultWorker worker)
    {
        int end = page + count;
        int step = count;
        while (page < end)
        {
            int pages = Math.Min(step, end - page);
            AddressRange range = region.AddressesOf(page, pages);
            FillResult result = Issue(verb, client, region, range, source);
            if (verb == InstallVerb.Poison && result.Errno == Errno.EEXIST && region.Pages.HasMarkers)
            {
                result = PoisonMarker(client, region, page);
            }

            InstallAction action = InstallOutcomes.Of(verb, result);
            int done = (int)(result.BytesDone / (ulong)region.Pages.PageBytes);
            if (done != 0)
            {
                NoteDone(verb, client, region, page, done);
                page += done;
                source = Skip(source, done, region);
            }

            if (action is InstallAction.Done or InstallAction.GoOn)
            {
                continue;
            }

            if (action == InstallAction.Narrow && pages > 1)
            {
                step = 1;
                continue;
            }

            if (action is not (InstallAction.SkipPage or InstallAction.Narrow or InstallAction.Wake))
            {
                return new InstallEnd(action, page, result.Errno);
            }

            NoteSkipped(verb, action, client, region, page, worker);
            page++;
            source = Skip(source, 1, region);
        }

        return new InstallEnd(InstallAction.Done, end, Errno.None);
    }

    /// <summary>Un-protects pages one of which someone wants to write to, and so wakes the writer; whoever watches the page is told before.</summary>
    public static InstallEnd Unprotect(PagerClient client, Region region, int page, int count, FaultWorker worker)
    {
        AddressRange range = region.AddressesOf(page, count);
        Errno errno = region.Pages.Watch is { } watch
            ? watch.Admit(page - watch.FirstPage, range)
            : client.Context.WriteProtect(range, WriteProtectModes.None).Errno;
        if (errno == Errno.ENOENT && count > 1)
        {
            // A part is unmapped and we were not told: page by page.
            for (int done = 0; done < count; done++)
            {
                Unprotect(client, region, page + done, 1, worker);
            }

            return new InstallEnd(InstallAction.Done, page, Errno.None);
        }

        switch (errno)
        {
            case Errno.None:
                return new InstallEnd(InstallAction.Done, page, Errno.None);
            case Errno.EAGAIN:
                return new InstallEnd(InstallAction.Park, page, errno);
            case Errno.ESRCH:
                return new InstallEnd(InstallAction.ClientGone, page, errno);
            default:
                FaultWake.Owe(worker, range);
                return new InstallEnd(InstallAction.Done, page, errno);
        }
    }

    private static FillResult Issue(InstallVerb verb, PagerClient client, Region region, AddressRange range, ReadOnlySpan<byte> source)
    {
        FillModes protect = region.Pages.InstallsProtected ? FillModes.WriteProtect : FillModes.None;
        return verb switch
        {
            InstallVerb.Continue => client.Context.Continue(range, protect),
            InstallVerb.ContinueWritable => client.Context.Continue(range),
            InstallVerb.ContinueQuietly => client.Context.Continue(range, protect | FillModes.DontWake),
            InstallVerb.Copy or InstallVerb.CopyShared => client.Context.Copy(range.Start, source[..(int)range.Length], protect),
            InstallVerb.Poison => client.Context.Poison(range),
            _ => client.Context.Zeropage(range),
        };
    }

    /// <summary>POISON of one page that may hold a marker of write-protection.</summary>
    private static FillResult PoisonMarker(PagerClient client, Region region, int page)
    {
        AddressRange range = region.AddressesOf(page, 1);
        if (region.Pages.Watch is { } watch)
        {
            return watch.Poison(page - watch.FirstPage, range);
        }

        client.Context.WriteProtect(range, WriteProtectModes.DontWake);
        return client.Context.Poison(range);
    }

    private static ReadOnlySpan<byte> Skip(ReadOnlySpan<byte> source, int pages, Region region) =>
        source.IsEmpty ? source : source[(pages * region.Pages.PageBytes)..];

    private static void NoteDone(InstallVerb verb, PagerClient client, Region region, int page, int count)
    {
        RegionPages pages = region.Pages;
        if (verb == InstallVerb.Poison)
        {
            pages.Poisoned.Set(page, count);
            client.Counters.Add(PagerCounter.PagesPoisoned, SmallPages(pages, count));
            return;
        }

        pages.Installed.Set(page, count);
        pages.Poisoned.Clear(page, count);
        pages.Table.MarkUsed(pages.TablePage(page));
        if (verb != InstallVerb.ContinueQuietly)
        {
            pages.Table.Guesses.NoteUsed(pages.TablePage(page), count);
        }

        switch (verb)
        {
            case InstallVerb.Continue or InstallVerb.ContinueQuietly or InstallVerb.ContinueWritable:
                client.Counters.Add(PagerCounter.PagesContinued, count);
                break;
            case InstallVerb.Copy:
                client.Counters.Add(PagerCounter.PagesCopied, SmallPages(pages, count));
                break;
            case InstallVerb.CopyShared:
                client.Counters.Add(PagerCounter.PagesCopied, SmallPages(pages, count));
                MaterialiseAll(pages, page, count);
                break;
            default:
                client.Counters.Add(PagerCounter.PagesZeroed, count);
                if (verb == InstallVerb.ZeropageShared)
                {
                    MaterialiseAll(pages, page, count);
                }

                break;
        }
    }

    private static void NoteSkipped(InstallVerb verb, InstallAction action, PagerClient client, Region region, int page, FaultWorker worker)
    {
        if (action == InstallAction.SkipPage)
        {
            client.Counters.Add(PagerCounter.AlreadyInstalled);
            if (verb != InstallVerb.Poison && !region.Pages.Poisoned[page])
            {
                region.Pages.Installed.Set(page, 1);
            }
        }

        FaultWake.Owe(worker, region.AddressesOf(page, 1));
    }

    private static void MaterialiseAll(RegionPages pages, int page, int count)
    {
        for (int i = 0; i < count; i++)
        {
            pages.Table.Materialise(pages.TablePage(page + i));
        }

        if (pages.WritesBack)
        {
            // Zeroes where the store may have something else: someone dropped the page.
            pages.Table.Writes!.AdmitPinned(pages.TablePage(page), count);
        }
    }

    private static long SmallPages(RegionPages pages, int count) => (long)count * pages.PageBytes / (long)PageSize.Small;
}
