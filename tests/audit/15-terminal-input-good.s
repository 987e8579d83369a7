; the repaired twin of 15-terminal-input-bad.s
ld arch
jeq #AUDIT_ARCH_X86_64, ours, foreign
ours: ld nr
jge #0x40000000, foreign
jeq #__NR_ioctl, look
ret allow
look: ld lo32(arg1)
jeq #0x5412, deny
jeq #0x541c, deny
allow: ret allow
deny: ret errno(EPERM)
foreign: ret kill_process
