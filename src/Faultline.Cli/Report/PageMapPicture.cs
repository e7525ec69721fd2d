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
        DrawLayer(canvas, map, columns, ResidentStyle);
        DrawLayer(canvas, map, columns, WrittenStyle);

        canvas.End();
    }

    /// <summary>Joins neighbouring cells of one style, and all cells of one style into one path: a big map stays a small file.</summary>
    private static void DrawLayer(SvgCanvas canvas, PageMap map, int columns, Func<PageMap, int, string> styleOf)
    {
        int cells = map.Touched.Length;
        var paths = new SortedDictionary<string, StringBuilder>(StringComparer.Ordinal);
        string previous = string.Empty;
        int start = 0;
        for (int cell = 0; cell <= cells; cell++)
        {
            string style = cell < cells ? styleOf(map, cell) : string.Empty;
            bool isRowStart = cell % columns == 0;
            if (cell > 0 && (style != previous || isRowStart))
            {
                AppendRun(paths, previous, start, cell, columns);
                start = cell;
            }

            previous = style;
        }

        foreach ((string style, StringBuilder path) in paths)
        {
            canvas.Path(style, path);
        }
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

    /// <summary>What is there, written or not; what there is most of decides the colour.</summary>
    private static string ResidentStyle(PageMap map, int cell)
    {
        int touched = map.Touched[cell] + map.Written[cell];
        int brought = map.Brought[cell];
        return touched + brought == 0 ? string.Empty
            : (touched >= brought ? "touched s" : "brought s") + Shade(touched + brought, PagesIn(map, cell));
    }

    /// <summary>Lies over the other layer, and shows a single page already, because few are written.</summary>
    private static string WrittenStyle(PageMap map, int cell) =>
        map.Written[cell] == 0 ? string.Empty : "written s" + Shade(map.Written[cell], PagesIn(map, cell));

    private static int PagesIn(PageMap map, int cell) => Math.Min(map.PagesPerCell, map.Pages - (cell * map.PagesPerCell));

    private static string Shade(int part, int whole) =>
        Math.Clamp(((part * Shades) + whole - 1) / whole, 1, Shades).ToString(CultureInfo.InvariantCulture);
}
