using System;
using Faultline.Sync.Scheduling;

namespace Faultline.Sync;

/// <summary>Objects that each thread has for itself; a thread of a schedule has new ones, so that schedules do not know of each other.</summary>
public static class PerThread
{
    /// <summary>The calling thread's object.</summary>
    /// <typeparam name="TOwner">Whose it is: types that keep the same kind of object do not share it.</typeparam>
    /// <typeparam name="T">The object.</typeparam>
    public static T Get<TOwner, T>()
        where T : class, new()
    {
        if (Seam.IsOn && !ReferenceEquals(Holder<TOwner, T>.Thread, Seam.Thread))
        {
            Holder<TOwner, T>.Thread = Seam.Thread;
            Holder<TOwner, T>.Value = null;
        }

        return Holder<TOwner, T>.Value ??= new T();
    }

    private static class Holder<TOwner, T>
        where T : class
    {
        [ThreadStatic]
        public static T? Value;

        /// <summary>The schedule's thread that <see cref="Value"/> belongs to.</summary>
        [ThreadStatic]
        public static object? Thread;
    }
}
