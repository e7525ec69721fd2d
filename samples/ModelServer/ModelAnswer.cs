using System;
using System.Buffers;
using System.Collections.Generic;
using System.Globalization;
using System.Threading.Tasks;
using Faultline.Hosting;
using Faultline.Paging;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Net.Http.Headers;

namespace ModelServer;

/// <summary>Answers a request for a range of a model: with its bytes, all of them right, or with 503.</summary>
internal static class ModelAnswer
{
    /// <summary>What is read before anything is sent: a range of up to this is answered whole, or with 503.</summary>
    private const int StepBytes = 1 << 20;

    public static async Task WriteAsync(string name, HttpContext http, FaultlineImages images)
    {
        using ImageUse? use = Use(name, http, images);
        if (use is null)
        {
            return;
        }

        PagedMemory model = use.Memory;
        if (!TryGetRange(http.Request, model.Length, out ulong offset, out ulong length))
        {
            http.Response.StatusCode = StatusCodes.Status416RangeNotSatisfiable;
            http.Response.Headers.ContentRange = string.Create(CultureInfo.InvariantCulture, $"bytes */{model.Length}");
            return;
        }

        byte[] buffer = ArrayPool<byte>.Shared.Rent((int)Math.Min(StepBytes, length));
        try
        {
            await SendAsync(http, model, offset, length, buffer).ConfigureAwait(false);
        }
        catch (PageLoadException) when (!http.Response.HasStarted)
        {
            http.Response.Clear();
            http.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
            http.Response.Headers.RetryAfter = "1";
        }
        catch (PageLoadException)
        {
            // The length is promised already: a connection that breaks off is the one way left to say that this is not all.
            http.Abort();
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>What a model takes of the memory, and may take.</summary>
    public static Results<Ok<ModelMemory>, NotFound> DescribeMemory(string name, FaultlineImages images, Pager pager)
    {
        try
        {
            using ImageUse use = images.Use(name);
            ImageStatistics statistics = use.Memory.Image.GetStatistics();
            ulong? budget = pager.Options.BudgetBytes;
            return TypedResults.Ok(new ModelMemory(
                use.Memory.Length, statistics.ResidentBytes, budget, statistics.PagesEvicted, statistics.StoreBytes, statistics.FailedLoads));
        }
        catch (KeyNotFoundException)
        {
            return TypedResults.NotFound();
        }
    }

    private static ImageUse? Use(string name, HttpContext http, FaultlineImages images)
    {
        try
        {
            return images.Use(name);
        }
        catch (KeyNotFoundException)
        {
            http.Response.StatusCode = StatusCodes.Status404NotFound;
            return null;
        }
        catch (ObjectDisposedException)
        {
            http.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
            return null;
        }
    }

    private static async Task SendAsync(HttpContext http, PagedMemory model, ulong offset, ulong length, byte[] buffer)
    {
        for (ulong done = 0; done < length;)
        {
            int step = (int)Math.Min((ulong)Math.Min(StepBytes, buffer.Length), length - done);

            // The read waits for the store, and so keeps its thread: not one of those that answer requests.
            ulong from = offset + done;
            await Task.Run(() => model.Read(from, buffer.AsSpan(0, step)), http.RequestAborted).ConfigureAwait(false);
            if (done == 0)
            {
                Begin(http, model.Length, offset, length);
            }

            await http.Response.Body.WriteAsync(buffer.AsMemory(0, step), http.RequestAborted).ConfigureAwait(false);
            done += (ulong)step;
        }
    }

    private static void Begin(HttpContext http, ulong total, ulong offset, ulong length)
    {
        HttpResponse response = http.Response;
        response.StatusCode = length == total ? StatusCodes.Status200OK : StatusCodes.Status206PartialContent;
        response.ContentType = "application/octet-stream";
        response.ContentLength = (long)length;
        response.Headers.AcceptRanges = "bytes";
        if (length != total)
        {
            response.Headers.ContentRange = string.Create(CultureInfo.InvariantCulture, $"bytes {offset}-{offset + length - 1}/{total}");
        }
    }

    private static bool TryGetRange(HttpRequest request, ulong total, out ulong offset, out ulong length)
    {
        offset = 0;
        length = total;
        if (!RangeHeaderValue.TryParse(request.Headers.Range.ToString(), out RangeHeaderValue? ranges) || ranges.Ranges.Count != 1)
        {
            // No range, or several, which a server need not serve: everything.
            return true;
        }

        foreach (RangeItemHeaderValue range in ranges.Ranges)
        {
            ulong end = total;
            if (range.From is { } from)
            {
                offset = (ulong)from;
                end = range.To is { } to ? Math.Min(total, (ulong)to + 1) : total;
            }
            else
            {
                offset = total - Math.Min(total, (ulong)(range.To ?? 0));
            }

            length = end > offset ? end - offset : 0;
        }

        return length != 0;
    }
}
