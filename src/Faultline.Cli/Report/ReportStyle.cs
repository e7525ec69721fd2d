namespace Faultline.Cli.Report;

/// <summary>The style sheet of the report, for light and dark.</summary>
internal static class ReportStyle
{
    public const string Css = """
        :root { color-scheme: light dark; --ink:#1c1f24; --soft:#5d6673; --paper:#ffffff; --panel:#f4f5f7; --rule:#d9dde3; --absent:#e3e6eb;
          --touched:#2f6fde; --brought:#7fb0f5; --written:#d9480f; --continue:#2f6fde; --copy:#c2255c; --eager:#e8890c; --mmap:#2b8a3e; }
        @media (prefers-color-scheme: dark) { :root { --ink:#e7eaee; --soft:#9aa4b1; --paper:#15181c; --panel:#1e2329; --rule:#343b44; --absent:#2a3038;
          --touched:#5b95ff; --brought:#35598f; --written:#ff8a4c; --continue:#5b95ff; --copy:#f06595; --eager:#ffb347; --mmap:#51cf66; } }
        * { box-sizing: border-box; }
        body { margin:0 auto; padding:2rem 1.25rem 4rem; max-width:72rem; background:var(--paper); color:var(--ink); font:15px/1.5 system-ui, sans-serif; }
        h1 { font-size:1.6rem; margin:0 0 .25rem; } h2 { font-size:1.15rem; margin:2.25rem 0 .5rem; } h3 { font-size:.95rem; margin:1rem 0 .3rem; }
        p { margin:.3rem 0 .7rem; } .soft { color:var(--soft); }
        .numbers { display:grid; grid-template-columns:repeat(auto-fit,minmax(11rem,1fr)); gap:.75rem; margin:1.25rem 0; }
        .numbers div { background:var(--panel); border-radius:.5rem; padding:.75rem 1rem; } .numbers b { display:block; font-size:1.35rem; font-weight:600; }
        .scroll { overflow-x:auto; } table { border-collapse:collapse; width:100%; font-variant-numeric:tabular-nums; }
        th, td { padding:.35rem .6rem; text-align:right; border-bottom:1px solid var(--rule); white-space:nowrap; }
        th:first-child, td:first-child { text-align:left; } th { color:var(--soft); font-weight:500; } tr.total td { font-weight:600; }
        svg { display:block; width:100%; height:auto; } svg.map { border-radius:3px; }
        .absent { fill:var(--absent); } .touched { fill:var(--touched); } .brought { fill:var(--brought); } .written { fill:var(--written); }
        .written.s1 { fill-opacity:.7; } .written.s2 { fill-opacity:.8; } .written.s3 { fill-opacity:.9; }
        .s1 { fill-opacity:.4; } .s2 { fill-opacity:.6; } .s3 { fill-opacity:.8; } .s4 { fill-opacity:1; }
        .bar { fill:var(--continue); } .axis { stroke:var(--soft); } .grid { stroke:var(--rule); } .tick { fill:var(--soft); font-size:11px; }
        .line { fill:none; stroke-width:2.5; stroke-linejoin:round; }
        .line.continue { stroke:var(--continue); } .line.copy { stroke:var(--copy); } .line.eager { stroke:var(--eager); } .line.mmap { stroke:var(--mmap); }
        .legend span { margin-right:1.25rem; white-space:nowrap; }
        .legend i { display:inline-block; width:.8rem; height:.8rem; border-radius:2px; margin-right:.4rem; }
        i.continue { background:var(--continue); } i.copy { background:var(--copy); } i.eager { background:var(--eager); } i.mmap { background:var(--mmap); }
        i.absent { background:var(--absent); } i.touched { background:var(--touched); }
        i.brought { background:var(--brought); } i.written { background:var(--written); }
        .bad { color:var(--written); font-weight:600; } .good { color:var(--mmap); font-weight:600; }
        """;
}
