namespace Faultline.Verification.Review;

/// <summary>What an error exit forgets.</summary>
internal enum ForgottenThing
{
    /// <summary>The page that was kept for a second try: D10.</summary>
    KeptPage,

    /// <summary>The block that was charged to the file: D11.</summary>
    Block,
}
