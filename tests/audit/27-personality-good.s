; the repaired twin of 27-personality-bad.s
ld arch
jeq #AUDIT_ARCH_X86_64, ours, foreign
ours: ld nr
jeq #__NR_personality, look
jeq #__NR_exit, allow
ret errno(EPERM)
look: ld lo32(arg0)
jeq #0, allow
jeq #8, allow
jeq #0x20000, allow
jeq #0x20008, allow
jeq #0xffffffff, allow, deny
deny: ret errno(EPERM)
allow: ret allow
foreign: ret kill_process
