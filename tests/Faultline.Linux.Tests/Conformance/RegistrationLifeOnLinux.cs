using Faultline.Conformance;

namespace Faultline.Linux.Tests;

public sealed class RegistrationLifeOnLinux(LinuxEngineHost host) : RegistrationLifeConformance(host);
