; the repaired twin of 04-other-numbers-bad.s
ld arch
jeq #AUDIT_ARCH_X86_64, ours
jeq #AUDIT_ARCH_I386, theirs
ret kill_process
ours: ld nr
jeq #0, allow
jeq #1, allow
jeq #60, allow
ret errno(EPERM)
theirs: ld nr
jeq #3, allow
jeq #4, allow
jeq #1, allow
ret errno(EPERM)
allow: ret allow
