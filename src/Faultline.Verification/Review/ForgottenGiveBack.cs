using Faultline.Mm;

namespace Faultline.Verification.Review;

/// <summary>An error exit that forgets something.</summary>
internal sealed class ForgottenGiveBack(ForgottenThing what) : FillSteps
{
    public override void PutKept(FolioPool pool, Folio folio)
    {
        if (what != ForgottenThing.KeptPage)
        {
            base.PutKept(pool, folio);
        }
    }

    public override void GiveBackBlock(ShmemFile file)
    {
        if (what != ForgottenThing.Block)
        {
            base.GiveBackBlock(file);
        }
    }
}
