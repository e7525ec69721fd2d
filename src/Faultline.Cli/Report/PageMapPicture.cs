using System;
using System.Collections.Generic;
using System.Globalization;
using System.Text;
using Faultline.Cli.Restore;

namespace Faultline.Cli.Report;

/// <summary>Draws a page map: one small square for a cell, left to right and top to bottom; the fuller the cell, the stronger its colour.</summary>
internal static class PageMapPicture
{
    private const int Columns = 128;

    /// <summary>The side of a cell on a wide screen.</summary>
    private const int CellPixels = 8;

    /// <summary>Shades of each colour.</summary>
    private const int Shades = 4;

    public static void Append(StringBuilder html, PageMap map, string title)
    {
        int cells = map.Touched.Length;
        int columns = Math.Min(Columns, cells);
        int rows = (cells + columns - 1) / columns;
        int width = Math.Max(columns, 16) * CellPixels;
        string attributes = string.Create(
            CultureInfo.InvariantCulture,
            $" style=\"max-width:{width}px\" preserveAspectRatio=\"none\" shape-rendering=\"crispEdges\"");
        var canvas = new SvgCanvas(html, "map", columns, rows, title, attributes);
        canvas.Rectangle("absent", 0, 0, columns, rows);
        foreach ((string style, StringBuilder path) in Paths(map, cells, columns))
        {
            canvas.Path(style, path);
        }

        canvas.End();
    }

    /// <summary>Joins neighbouring cells of one style, and all cells of one style into one path: a big map stays a small file.</summary>
    private static SortedDictionary<string, StringBuilder> Paths(PageMap map, int cells, int columns)
    {
        var paths = new SortedDictionary<string, StringBuilder>(StringComparer.Ordinal);
        string previous = string.Empty;
        int start = 0;
        for (int cell = 0; cell <= cells; cell++)
        {
            string style = cell < cells ? Style(map, cell) : string.Empty;
            bool isRowStart = cell % columns == 0;
            if (cell > 0 && (style != previous || isRowStart))
            {
                AppendRun(paths, previous, start, cell, columns);
                start = cell;
            }

            previous = style;
        }

        return paths;
    }

    private static void AppendRun(SortedDictionary<string, StringBuilder> paths, string style, int start, int end, int columns)
    {
        if (style.Length == 0)
        {
            return;
        }

        if (!paths.TryGetValue(style, out StringBuilder? path))
        {
            paths.Add(style, path = new StringBuilder());
        }

        int width = end - start;
        path.Append(CultureInfo.InvariantCulture, $"M{start % columns} {start / columns}h{width}v1h-{width}z");
    }

    /// <summary>What there is most of decides the colour; any written page shows, because few are.</summary>
    private static string Style(PageMap map, int cell)
    {
        int pages = Math.Min(map.PagesPerCell, map.Pages - (cell * map.PagesPerCell));
        int written = map.Written[cell];
        int touched = map.Touched[cell];
        int brought = map.Brought[cell];
        if (written > 0)
        {
            return "written s" + Shade(written, pages);
        }

        if (touched >= brought && touched > 0)
        {
            return "touched s" + Shade(touched + brought, pages);
        }

        return brought > 0 ? "brought s" + Shade(touched + brought, pages) : string.Empty;
    }

    private static string Shade(int part, int whole) =>
        Math.Clamp(((part * Shades) + whole - 1) / whole, 1, Shades).ToString(CultureInfo.InvariantCulture);
}
