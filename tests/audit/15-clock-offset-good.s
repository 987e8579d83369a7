; the repaired twin of 15-clock-offset-bad.s
ld arch
jeq #AUDIT_ARCH_X86_64, ours, foreign
ours: ld nr
jge #0x40000000, foreign
jeq #__NR_settimeofday, deny
jeq #__NR_clock_settime, deny
jeq #__NR_adjtimex, deny
jeq #__NR_clock_adjtime, deny
ret allow
deny: ret errno(EPERM)
foreign: ret kill_process
