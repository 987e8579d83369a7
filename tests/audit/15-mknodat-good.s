; the repaired twin of 15-mknodat-bad.s
ld arch
jeq #AUDIT_ARCH_X86_64, ours, foreign
ours: ld nr
jge #0x40000000, foreign
jeq #__NR_mknod, deny
jeq #__NR_mknodat, deny
ret allow
deny: ret errno(EPERM)
foreign: ret kill_process
