namespace Faultline.Mm;

/// <summary>What one kind of fill does to one page. A struct, so that the loop over pages is compiled for each kind and allocates nothing.</summary>
internal interface IFillStep
{
    /// <summary>The check of the mapping that comes after the look-up.</summary>
    /// <returns>EINVAL where this kind of memory cannot be filled so.</returns>
    Errno CheckMapping(Vma vma);

    /// <summary>Fills one page.</summary>
    /// <param name="context">Whose call it is.</param>
    /// <param name="vma">The mapping; it covers all of the range.</param>
    /// <param name="address">The page's address.</param>
    /// <param name="table">The lowest-level table there.</param>
    /// <returns>An error ends the call. <see cref="Errno.ENOENT"/> with <see cref="NeedsFetch"/> set has every lock dropped first.</returns>
    Errno FillPage(UserfaultfdContext context, Vma vma, ulong address, PteTable table);

    /// <summary>Fills one huge page of a hugetlb mapping; else as <see cref="FillPage"/>.</summary>
    Errno FillHugePage(Vma vma, ulong address);

    /// <summary>Whether <see cref="FillPage"/> could not get at its source under the locks.</summary>
    bool NeedsFetch { get; }

    /// <summary>Gets the source of a page without any lock held.</summary>
    /// <returns>EFAULT, ENOMEM.</returns>
    Errno Fetch();

    /// <summary>Lets go of what <see cref="Fetch"/> has left over when the call ends.</summary>
    void End();
}
