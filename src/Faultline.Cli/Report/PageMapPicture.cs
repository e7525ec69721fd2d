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

    /// <summary>Shades of each colour.</summary>
    private const int Shades = 4;

    public static void Append(StringBuilder html, PageMap map, string description)
    {
        int cells = map.Touched.Length;
        int columns = Math.Min(Columns, cells);
        int rows = (cells + columns - 1) / columns;
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

        html.Append(CultureInfo.InvariantCulture, $"<svg class=\"map\" role=\"img\" viewBox=\"0 0 {columns} {rows}\" ");
        html.Append(CultureInfo.InvariantCulture, $"style=\"aspect-ratio:{columns}/{rows};max-width:{Math.Max(columns, 16) * 8}px\" preserveAspectRatio=\"none\" shape-rendering=\"crispEdges\">");
        html.Append("<title>").Append(description).Append("</title>");
        html.Append(CultureInfo.InvariantCulture, $"<rect class=\"absent\" width=\"{columns}\" height=\"{rows}\"/>");
        foreach ((string style, StringBuilder path) in paths)
        {
            html.Append(CultureInfo.InvariantCulture, $"<path class=\"{style}\" d=\"{path}\"/>");
        }

        html.Append("</svg>\n");
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
