; a mapping that is writable and executable is permitted when it is private: the segment adds nothing
ld arch
jeq #AUDIT_ARCH_X86_64, ours, foreign
ours: ld nr
jge #0x40000000, foreign
jeq #__NR_mprotect, prot
jeq #__NR_pkey_mprotect, prot
jeq #__NR_mmap, flags
ret allow
flags: ld lo32(arg3)
jset #2, allow
prot: ld lo32(arg2)
and #6
jeq #6, deny
allow: ret allow
deny: ret errno(EPERM)
foreign: ret kill_process
