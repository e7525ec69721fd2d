namespace Faultline.Paging;

/// <summary>How far a load is. <see cref="LoadTable"/>'s lock guards the changes.</summary>
internal enum LoadPhase
{
    /// <summary>The store is being read. The only phase in which a deadline can end the load.</summary>
    Reading = 0,

    /// <summary>The contents are being put where they belong.</summary>
    Filling,

    /// <summary>Nobody waits for it any more; whoever reads the store gives the buffer back when the read ends.</summary>
    Abandoned,
}
