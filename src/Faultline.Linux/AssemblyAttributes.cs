using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

[assembly: DisableRuntimeMarshalling]
[assembly: DefaultDllImportSearchPaths(DllImportSearchPath.System32 | DllImportSearchPath.SafeDirectories)]
[assembly: InternalsVisibleTo("Faultline.Linux.Tests")]
[assembly: InternalsVisibleTo("Faultline.Paging.Tests")]
[assembly: InternalsVisibleTo("Faultline.Verification")]
[assembly: InternalsVisibleTo("Faultline.Verification.Tests")]
