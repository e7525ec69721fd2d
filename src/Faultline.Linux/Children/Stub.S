# The code that runs in a child address space, and nothing else does there.
#
#   as --64 -o stub.o Stub.S && objcopy -O binary -j .text stub.o stub.bin
#
# StubCode.cs holds these bytes; a test assembles this file again and compares. The code is position-independent, keeps no data of its
# own, calls no function and never returns into anything it did not start: all it knows is its control block.
#
# Registers while a stub thread runs:
#   r15  the control block                 r13  the command being executed
#   r14  where a faulting access goes on   r12  commands left, this one included
#        (0: no access is under way, so a fault is a bug and ends the process)
#   rsp  the top of the block's own stack, which only signal frames use

        .intel_syntax noprefix
        .text

# Control block (StubBlock.cs)
        .set STATE,      0x00           # u32, a futex: see the states
        .set COUNT,      0x04           # u32, commands posted
        .set PARENT,     0x08           # u32, the process that must be alive
        .set GROUP,      0x0c           # u32, the process group to kill when it is not, or 0
        .set TID,        0x10           # u32, this thread; the kernel clears it when the thread has gone
        .set CANCEL,     0x14           # u32, not 0: SIGUSR1 ends the access under way
        .set SPIN,       0x18           # u32, looks at the state before sleeping, at least 1
        .set TIMEOUT,    0x20           # struct timespec, between two looks at the parent
        .set MASK,       0x30           # u64, the signals to block
        .set OLDMASK,    0x38           # u64, room for the caller's
        .set STACK,      0x40           # u64, the top of the stack
        .set COMMANDS,   0x100

# States: 0 and 1 wait for the client, 2 and 3 for the stub; in 1 and 3 the one who waits sleeps on the futex
        .set IDLE,       0
        .set STUB_SLEEPS, 1
        .set POSTED,     2
        .set CLIENT_SLEEPS, 3

# Command (StubCommand.cs)
        .set OP,         0x00
        .set NR,         0x08
        .set A0,         0x10
        .set A1,         0x18
        .set A2,         0x20
        .set A3,         0x28
        .set A4,         0x30
        .set A5,         0x38
        .set RESULT,     0x40
        .set SIGNAL,     0x48           # u32, 0: no fault
        .set CODE,       0x4c           # u32, si_code
        .set ADDRESS,    0x50           # u64, si_addr
        .set ERRORCODE,  0x58           # u64, the page fault's error code
        .set COMMAND_SIZE, 0x60

# siginfo_t and ucontext_t of x86-64
        .set SI_CODE,    8
        .set SI_ADDR,    16
        .set UC_R13,     80
        .set UC_R14,     88
        .set UC_R15,     96
        .set UC_RIP,     168
        .set UC_ERR,     192

# System calls
        .set SYS_rt_sigprocmask, 14
        .set SYS_rt_sigreturn, 15
        .set SYS_clone,  56
        .set SYS_kill,   62
        .set SYS_getppid, 110
        .set SYS_futex,  202
        .set SYS_exit_group, 231

# ---------------------------------------------------------------------------------------------------------------------------------
# long spawn(block, cloneFlags): the only entry for the .NET process (System V calling convention). Clones, with every signal blocked
# around it so that no handler of the process can run in the newborn. The caller gets the pid or -errno; the newborn never returns.
# ---------------------------------------------------------------------------------------------------------------------------------
        .globl spawn
spawn:
        mov     r8, rdi
        mov     r9, rsi
        mov     edi, 2                  # SIG_SETMASK
        lea     rsi, [r8 + MASK]
        lea     rdx, [r8 + OLDMASK]
        mov     r10d, 8
        mov     eax, SYS_rt_sigprocmask
        syscall
        mov     rdi, r9
        mov     rsi, [r8 + STACK]
        lea     rdx, [r8 + TID]
        mov     r10, rdx
        mov     eax, SYS_clone
        syscall
        test    rax, rax
        jz      born
        mov     r9, rax
        mov     edi, 2
        lea     rsi, [r8 + OLDMASK]
        xor     edx, edx
        mov     r10d, 8
        mov     eax, SYS_rt_sigprocmask
        syscall
        mov     rax, r9
        ret
born:
        mov     r15, r8

# ---------------------------------------------------------------------------------------------------------------------------------
# The loop of a stub thread; r15 is set.
# ---------------------------------------------------------------------------------------------------------------------------------
enter:
        cld
        mov     rsp, [r15 + STACK]
        xor     r14d, r14d
await:
        mov     ecx, [r15 + SPIN]
look:
        mov     eax, [r15 + STATE]
        cmp     eax, POSTED
        jae     run
        pause
        dec     ecx
        jnz     look
drowse:
        xor     eax, eax                # IDLE
        mov     edx, STUB_SLEEPS
        lock cmpxchg [r15 + STATE], edx
        jz      sleep
        cmp     eax, POSTED             # else it was STUB_SLEEPS already, after a timeout or a signal
        jae     run
sleep:
        lea     rdi, [r15 + STATE]
        xor     esi, esi                # FUTEX_WAIT, not private
        mov     edx, STUB_SLEEPS
        lea     r10, [r15 + TIMEOUT]
        mov     eax, SYS_futex
        syscall
        cmp     eax, -110               # ETIMEDOUT
        jne     await
        mov     eax, SYS_getppid
        syscall
        cmp     eax, [r15 + PARENT]
        je      drowse

# The parent is gone: take the whole family along, also those whose threads all sleep in faults nobody will resolve.
        xor     edi, edi
        sub     edi, [r15 + GROUP]
        jz      leave
        movsxd  rdi, edi
        mov     esi, 9                  # SIGKILL
        mov     eax, SYS_kill
        syscall
leave:
        mov     edi, 1
        mov     eax, SYS_exit_group
        syscall

run:
        mov     r12d, [r15 + COUNT]
        lea     r13, [r15 + COMMANDS]
        jmp     more
advance:
        xor     r14d, r14d
        add     r13, COMMAND_SIZE
        dec     r12d
more:
        test    r12d, r12d
        jz      done
        mov     qword ptr [r13 + SIGNAL], 0
        mov     eax, [r13 + OP]
        mov     rdi, [r13 + A0]
        cmp     eax, 1
        je      call
        cmp     eax, 2
        je      load
        cmp     eax, 3
        je      store
        cmp     eax, 4
        je      exchange
        cmp     eax, 5
        je      copy
        cmp     eax, 6
        je      clone
        mov     rax, -38                # ENOSYS
        jmp     answer
done:
        xor     eax, eax                # IDLE
        xchg    [r15 + STATE], eax
        cmp     eax, CLIENT_SLEEPS
        jne     await
        lea     rdi, [r15 + STATE]
        mov     esi, 1                  # FUTEX_WAKE
        mov     edx, 1
        mov     eax, SYS_futex
        syscall
        jmp     await

# 1: a system call. nr, a0 to a5
call:
        mov     rax, [r13 + NR]
        mov     rsi, [r13 + A1]
        mov     rdx, [r13 + A2]
        mov     r10, [r13 + A3]
        mov     r8,  [r13 + A4]
        mov     r9,  [r13 + A5]
        syscall
answer:
        mov     [r13 + RESULT], rax
        jmp     advance

# 2: result = eight bytes at a0
load:
        lea     r14, [rip + ended]
        mov     rax, [rdi]
        jmp     answer

# 3: eight bytes at a0 = a1
store:
        mov     rax, [r13 + A1]
        lea     r14, [rip + ended]
        mov     [rdi], rax
        jmp     answer

# 4: result = eight bytes at a0; if they equal a2, they become a1. Writes in either case.
exchange:
        mov     rdx, [r13 + A1]
        mov     rax, [r13 + A2]
        lea     r14, [rip + ended]
        lock cmpxchg [rdi], rdx
        jmp     answer

# 5: a2 bytes from a1 to a0; result = bytes copied, also when a fault cut it short (rcx then says how many are left)
copy:
        mov     rsi, [r13 + A1]
        mov     rcx, [r13 + A2]
        lea     r14, [rip + ended]
        rep movsb
ended:
        mov     rax, [r13 + A2]
        sub     rax, rcx
        jmp     answer

# 6: clone with the flags a0; the newborn runs on the block a1
clone:
        mov     rbx, [r13 + A1]
        mov     rsi, [rbx + STACK]
        lea     rdx, [rbx + TID]
        mov     r10, rdx
        mov     eax, SYS_clone
        syscall
        test    rax, rax
        jnz     answer
        mov     r15, rbx
        jmp     enter

# ---------------------------------------------------------------------------------------------------------------------------------
# handler(signal, siginfo, ucontext): SIGSEGV and SIGBUS end the access under way, with what the kernel says about it in the
# command. SIGUSR1 does nothing (the instruction goes round once more), unless the block says cancel.
# ---------------------------------------------------------------------------------------------------------------------------------
        .globl handler
handler:
        mov     rcx, [rdx + UC_R14]
        cmp     edi, 10                 # SIGUSR1
        jne     fault
        test    rcx, rcx
        jz      back
        mov     rax, [rdx + UC_R15]
        cmp     dword ptr [rax + CANCEL], 0
        je      back
fault:
        test    rcx, rcx
        jz      leave
        mov     r8, [rdx + UC_R13]
        mov     [r8 + SIGNAL], edi
        mov     eax, [rsi + SI_CODE]
        mov     [r8 + CODE], eax
        mov     rax, [rsi + SI_ADDR]
        mov     [r8 + ADDRESS], rax
        mov     rax, [rdx + UC_ERR]
        mov     [r8 + ERRORCODE], rax
        mov     [rdx + UC_RIP], rcx
back:
        ret

        .globl restorer
restorer:
        mov     eax, SYS_rt_sigreturn
        syscall
