namespace Faultline.Linux;

/// <summary>What <see cref="DescriptorSocket.Receive"/> received.</summary>
/// <param name="Bytes">The number of bytes; zero: the other side has closed.</param>
/// <param name="Descriptors">The number of descriptors that came with them.</param>
/// <param name="IsTruncated">Whether more descriptors came than there was room for; the kernel has closed those.</param>
public readonly record struct ReceivedMessage(int Bytes, int Descriptors, bool IsTruncated);
