; the repaired twin of 21-number-without-a-call-bad.s
ld arch
jeq #AUDIT_ARCH_X86_64, ours, foreign
ours: ld nr
jeq #0, allow
ret errno(EPERM)
allow: ret allow
foreign: ret kill_process
