/* Installs filters in all the ways that there are, for the tests of `bpfproof dump`: each of them
 * answers the call 9000 + N, which does not exist, with errno N, and permits all others.
 *
 *     installs WORD...
 *
 * A number N installs filter N in this thread. "fork", "vfork" and "thread" make another process or
 * thread that goes on with the words up to the next "end", and wait for it. "tsync N" installs for
 * all threads, "prctl N" with the other call, "log N" with a flag, "int80 N" by i386's entry, "bad"
 * tries to install a program that the kernel refuses. "wait" writes "ready" to standard output and
 * sleeps, "exec" runs the rest of the words in a new image of this program, "beside" starts a
 * thread that only sleeps. "kill" ends the process by SIGKILL. "hang" writes "ready" and waits for
 * a vforked child that sleeps: nothing but SIGKILL can stop the thread, not even a tracer. */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define FIRST_NUMBER 9000u
#define CODE_MOST 4

static void fail(const char *what)
{
    fprintf(stderr, "installs: %s: %s\n", what, strerror(errno));
    _exit(1);
}

static struct sock_fprog make_program(struct sock_filter *code, uint32_t number)
{
    const struct sock_filter all[CODE_MOST] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, FIRST_NUMBER + number, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | number),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    memcpy(code, all, sizeof all);
    return (struct sock_fprog){.len = CODE_MOST, .filter = code};
}

static void install(uint32_t number, unsigned flags)
{
    struct sock_filter code[CODE_MOST];
    struct sock_fprog program = make_program(code, number);
    if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program) < 0)
        fail("seccomp");
}

static void install_by_prctl(uint32_t number)
{
    struct sock_filter code[CODE_MOST];
    struct sock_fprog program = make_program(code, number);
    if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0)
        fail("prctl");
}

static void install_bad(void)
{
    struct sock_filter code[CODE_MOST];
    struct sock_fprog program = make_program(code, 1);
    program.len--;
    code[2] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 64);
    if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) == 0)
        fail("a bad program was installed");
}

#ifdef __x86_64__
#define I386_SECCOMP 354

/* i386's struct sock_fprog, with all addresses below 4 GiB. */
static void install_by_int80(uint32_t number)
{
    struct {
        uint16_t length;
        uint32_t code;
        struct sock_filter instructions[CODE_MOST];
    } *low =
        mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
    if (low == MAP_FAILED)
        fail("mmap");
    (void)make_program(low->instructions, number);
    low->length = CODE_MOST;
    low->code = (uint32_t)(uintptr_t)low->instructions;
    long got;
    __asm__ volatile("int $0x80"
                     : "=a"(got)
                     : "a"((long)I386_SECCOMP), "b"((long)SECCOMP_SET_MODE_FILTER), "c"(0L),
                       "d"(low)
                     : "memory", "r8", "r9", "r10", "r11");
    if (got != 0) {
        errno = (int)-got;
        fail("int80");
    }
}
#else
static void install_by_int80(uint32_t number)
{
    install(number, 0);
}
#endif

static void walk(char **words);

static void *walk_in_thread(void *words)
{
    walk(words);
    return NULL;
}

static void *sleep_in_thread(void *nothing)
{
    (void)nothing;
    for (;;)
        pause();
    return NULL;
}

static void make_thread(void *(*run)(void *), void *argument, int join)
{
    pthread_t thread;
    errno = pthread_create(&thread, NULL, run, argument);
    if (errno || (join && pthread_join(thread, NULL)))
        fail("thread");
}

static void make_process(char **words)
{
    int status;
    pid_t child = fork();
    if (child == 0) {
        walk(words);
        exit(0);
    }
    if (child < 0 || waitpid(child, &status, 0) != child)
        fail("fork");
}

/* What a vforked child may do is to execute. */
static void make_by_vfork(char **words)
{
    char name[] = "installs", *arguments[64] = {name};
    size_t count = 1;
    for (; words[count - 1] && strcmp(words[count - 1], "end") != 0 && count < 63; count++)
        arguments[count] = words[count - 1];
    int status;
    pid_t child = vfork();
    if (child == 0) {
        execv("/proc/self/exe", arguments);
        _exit(1);
    }
    if (child < 0 || waitpid(child, &status, 0) != child)
        fail("vfork");
}

static int makes_another(const char *word)
{
    return !strcmp(word, "fork") || !strcmp(word, "vfork") || !strcmp(word, "thread");
}

/* At the "end" that belongs to the word before. */
static char **end_of(char **words)
{
    for (int depth = 1; *words; words++) {
        depth += makes_another(*words) - !strcmp(*words, "end");
        if (depth == 0)
            break;
    }
    return *words ? words : words - 1;
}

static void execute(char **words)
{
    char name[] = "installs", *arguments[64] = {name};
    for (size_t i = 0; words[i] && i < 62; i++)
        arguments[i + 1] = words[i];
    execv("/proc/self/exe", arguments);
    fail("exec");
}

static void hang(void)
{
    if (vfork() == 0) {
        (void)!write(STDOUT_FILENO, "ready\n", 6);
        for (;;)
            pause();
    }
}

static void walk(char **words)
{
    for (; *words && strcmp(*words, "end") != 0; words++) {
        if (makes_another(*words)) {
            if (!strcmp(*words, "fork"))
                make_process(words + 1);
            else if (!strcmp(*words, "vfork"))
                make_by_vfork(words + 1);
            else
                make_thread(walk_in_thread, words + 1, 1);
            words = end_of(words + 1);
        } else if (!strcmp(*words, "tsync")) {
            install((uint32_t)atoi(*++words), SECCOMP_FILTER_FLAG_TSYNC);
        } else if (!strcmp(*words, "log")) {
            install((uint32_t)atoi(*++words), SECCOMP_FILTER_FLAG_LOG);
        } else if (!strcmp(*words, "prctl")) {
            install_by_prctl((uint32_t)atoi(*++words));
        } else if (!strcmp(*words, "int80")) {
            install_by_int80((uint32_t)atoi(*++words));
        } else if (!strcmp(*words, "bad")) {
            install_bad();
        } else if (!strcmp(*words, "beside")) {
            make_thread(sleep_in_thread, NULL, 0);
        } else if (!strcmp(*words, "exec")) {
            execute(words + 1);
        } else if (!strcmp(*words, "hang")) {
            hang();
        } else if (!strcmp(*words, "kill")) {
            (void)kill(getpid(), SIGKILL);
        } else if (!strcmp(*words, "wait")) {
            (void)!write(STDOUT_FILENO, "ready\n", 6);
            for (;;)
                pause();
        } else {
            install((uint32_t)atoi(*words), 0);
        }
    }
}

int main(int argc, char **argv)
{
    (void)argc;
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        fail("no_new_privs");
    walk(argv + 1);
    return 0;
}
